"""Dense networks of points in the plane: layers of `hidden_units`, then residual blocks of two layers each.

A first layer, (layers - 1) more, `blocks` residual blocks, the output. So 2 layers and no blocks have 3 layers of
weights in all, 1 layer and 7 blocks have 16: Yamazaki 2017, table A.1. A block is x + unit(unit(x)). A norm stands
behind every hidden layer but the discriminator's first. They can grow in latents and in width.
"""

from __future__ import annotations

import keras

from pgan_tf.config import Config
from pgan_tf.layers import EqualizedDense, PixelNorm
from pgan_tf.layers.activations import OUTPUTS
from pgan_tf.layers.widening import Axis, Part, length
from pgan_tf.networks.base import DiscriminatorOutput, GeneratorNetwork, GeneratorOutput
from pgan_tf.networks.blocks import residual
from pgan_tf.networks.grouped import GroupedDiscriminator
from pgan_tf.networks.unit import UnitNetwork
from pgan_tf.option import ConfigError
from pgan_tf.stages import Fade, Size


def check_units(config: Config, sizes: list[Size]) -> None:
    """ConfigError unless narrower networks have whole numbers of units."""
    units, most = config.model.hidden_units, max(size.narrower for size in sizes)
    if units % most:
        raise ConfigError(
            f"--grow={config.growth.grow}: --hidden_units={units} cannot be divided by {most}, as at level "
            f"{sizes[0].level}; change it, or begin at a higher --lod_initial_resolution"
        )


class DenseNetwork(UnitNetwork):
    """What generator and discriminator share: hidden layers."""

    family = "mlp"

    def __init__(self, **options):
        super().__init__(**options)
        self.sample_shape = (self.num_channels,)
        self.width = self.wide(self.options.hidden_units)

    def hidden_layers(self, inputs: Axis, layers: int, blocks: int, first_normed: bool = True) -> None:
        """Builds them: `plain` one after the other, `blocks` in pairs."""
        width = (self.width,)
        self.plain = [
            self.unit(EqualizedDense, f"Hidden{i}", width if i else inputs, self.width, normed=i > 0 or first_normed)
            for i in range(layers)
        ]
        self.blocks = [
            [self.unit(EqualizedDense, f"Block{i}_Dense{j}", width, self.width) for j in range(2)]
            for i in range(blocks)
        ]

    def hidden(self, x, moment: Fade, training=False, noise=None):
        """[N,in] -> [N,hidden]."""
        for step in self.steps(self.plain, moment, training, noise):
            x = step(x)
        return residual(self.steps([layer for pair in self.blocks for layer in pair], moment, training, noise), x)


@keras.saving.register_keras_serializable("pgan_tf")
class DenseGenerator(DenseNetwork, GeneratorNetwork):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> points [N, components]."""

    def __init__(self, **options):
        super().__init__(**options)
        inputs, epsilon = self.input_axis(), self.options.pixelnorm_epsilon
        self.pixel_norm = PixelNorm(epsilon, inputs, name="pixel_norm", dtype=self.dtype_policy)
        self.reference = self.make_reference((length(inputs),))
        self.hidden_layers(inputs, self.options.g_layers, self.options.g_blocks)
        points = Part(self.num_channels, self.num_channels)
        self.out = self.layer(EqualizedDense, "Out", (self.width,), points, gain=1.0)
        self.built = True

    def call(self, inputs, alpha=None, beta=None, tau=None, training=False, with_features=False):
        """-> points, or GeneratorOutput with the features [N,hidden] of the last hidden layer."""
        moment, x = self.fade(alpha, beta, tau), self.reference(self.used(inputs))  # [N,latents used + labels]
        x = self.pixel_norm(x, beta=moment.beta) if self.options.normalize_latents else x
        x = self.reference.behind(self.hidden(x, moment, training))  # [N,hidden]
        points = OUTPUTS[self.options.g_output](self.out(x, beta=moment.beta, training=training))  # [N,components]
        return GeneratorOutput(points, x) if with_features else points


@keras.saving.register_keras_serializable("pgan_tf")
class DenseDiscriminator(DenseNetwork, GroupedDiscriminator):
    """Points [N, components] -> DiscriminatorOutput; what it is told of the minibatch comes before its last layer."""

    input_name = "points"

    def __init__(self, **options):
        super().__init__(**options)
        self.reference = self.make_reference(self.sample_shape)
        components = (Part(self.num_channels, self.num_channels),)
        self.hidden_layers(components, self.options.d_layers, self.options.d_blocks, first_normed=False)
        told = self.make_statistics(self.width, 1)
        self.out = self.last_layer("Out", told)
        self.built = True

    def call(self, points, alpha=None, beta=None, tau=None, training=False, noise=None):
        moment = self.fade(alpha, beta, tau)
        features = self.hidden(self.reference(points), moment, training, noise)  # [N,hidden]
        x = self.tell(features[:, None, None], moment, training)[:, 0, 0]  # [N,hidden+S], as images of one pixel
        x = self.reference.behind(self.out(x, beta=moment.beta, training=training))  # [N,1+labels]
        return DiscriminatorOutput(scores=x[:, 0], labels=x[:, 1:], features=self.reference.behind(features))
