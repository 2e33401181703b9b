"""The discriminator as one pass has it: at a moment of its fade, behind augmentation and noise.

What the disturbances follow from is drawn in the replica's context (`drawn`), and enters the gradient functions, which
may be compiled, as tensors.
"""

from __future__ import annotations

import tensorflow as tf

from pgan_tf.augment import Augmentation, asked
from pgan_tf.latents import Purpose, stream
from pgan_tf.layers.minibatch import Microbatch, join_batches, split_batches
from pgan_tf.layers.noise import Noise, magnitude
from pgan_tf.networks import DiscriminatorOutput
from pgan_tf.stages import Fade
from pgan_tf.training.state import StageState

Drawn = dict[str, tuple[tf.Tensor, ...]]  # by the disturbance's name


def drawn(state: StageState, seed: int, purpose: Purpose, step: tf.Tensor) -> Drawn:
    """What this replica's disturbances in one step follow from; nothing without --d_noise.

    noise: magnitude [], seed [2]. Drawn for the replica's own samples: those of all samples and layers would cost every
    replica as much as the whole minibatch. So several devices train as one does, but not to its numbers; and with --jit
    they are XLA's, which are others.
    """
    strength = state.config.model.d_noise
    if not strength:
        return {}
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    own = tf.random.experimental.stateless_fold_in(stream(seed, purpose, step), tf.cast(replica, tf.int64))
    return {"noise": (magnitude(state.extras["running_score"], strength), own)}


def _as_they_are(images: tf.Tensor) -> tf.Tensor:
    return images


class Critic:
    """Images [.,R,R,C] -> DiscriminatorOutput; each call is augmented and disturbed in its own way."""

    def __init__(self, state: StageState, fade: Fade, disturbances: Drawn, sizes: tuple[int, ...] = ()):
        """sizes: of a Microbatch, all that is no tensor, where the minibatch is taken in microbatches."""
        self.discriminator, self.fade = state.discriminator, fade
        microbatch = Microbatch(*disturbances["microbatch"], *sizes) if "microbatch" in disturbances else None
        self.noise = Noise(*disturbances["noise"], microbatch) if "noise" in disturbances else None
        self.augmented = _as_they_are
        if "augment" in disturbances:
            self.augmented = Augmentation(asked(state.config.augment), *disturbances["augment"])

    def __call__(self, images: tf.Tensor) -> DiscriminatorOutput:
        return self._judge(self.augmented(images))

    def _judge(self, images: tf.Tensor) -> DiscriminatorOutput:
        return self.discriminator(images, **self.fade.options(), training=True, noise=self.noise)

    def both(self, reals: tf.Tensor | None, fakes: tf.Tensor) -> tuple[DiscriminatorOutput | None, DiscriminatorOutput]:
        """Of reals, where there are any, and of fakes; in one call where their groups can be kept apart."""
        if reals is None:
            return None, self(fakes)
        group = self.discriminator.together
        if not self.discriminator.separable or reals.shape[0] % group:
            return self(reals), self(fakes)
        output = self._judge(join_batches(self.augmented(reals), self.augmented(fakes), group))
        pairs = [split_batches(tensor, group) for tensor in output]
        return type(output)(*(a for a, _ in pairs)), type(output)(*(b for _, b in pairs))
