"""A generator as every other runtime sees it: named inputs, named outputs, any number of samples."""

from __future__ import annotations

import tensorflow as tf

from pgan_tf import growth
from pgan_tf.networks import Generator


class Signature(tf.Module):
    """`generate`: latents [N,L] and labels [N,K] -> images uint8 [N,R,R,C] and images_nchw float32 [N,C,R,R].

    A network without labels has no input of that name. All numbers are float32, also those of a network that was
    trained in another precision. `images_nchw` is what the network puts out, about -1..1 and not clipped; `images` is
    the same rounded to pixels as in grids.to_uint8.
    """

    def __init__(self, network: Generator):
        super().__init__(name="generator")
        network = growth.float32_copy(network)
        self.parameters = [variable.value for variable in network.weights]  # a SavedModel keeps what hangs on it
        latents = tf.TensorSpec([None, network.latent_size], tf.float32, name="latents")
        labels = tf.TensorSpec([None, network.label_size], tf.float32, name="labels")

        def labelled(latents: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
            return _outputs(network((latents, labels)))

        def plain(latents: tf.Tensor) -> dict[str, tf.Tensor]:
            return _outputs(network(latents))

        if network.label_size:
            self.generate = tf.function(labelled, input_signature=[latents, labels])
        else:
            self.generate = tf.function(plain, input_signature=[latents])


def _outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
    """[N,R,R,C] -> both outputs."""
    pixels = tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0)
    return {"images": tf.cast(pixels, tf.uint8), "images_nchw": tf.transpose(images, [0, 3, 1, 2])}  # [N,C,R,R]
