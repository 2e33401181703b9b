"""Convolutional networks of images of one size: the DCGAN, and the same with residual blocks.

Yamazaki 2017 (a thesis on depth), table A.2, for images of any size that can be halved down to 4 to 7 pixels: 28 -> 14
-> 7, 32 -> .. -> 4. A stage changes the resolution by two, with a kernel of 4x4. Next to the image there are
`image_maps` feature maps, twice as many with each halving, at most `fmap_max`. The generator has a layer from the
latents to the smallest size, then stages, the last one to the image; the discriminator stages, then one linear layer. A
norm stands behind every layer but the generator's last and the discriminator's first and last. The stages with the
image on one side are one layer each; the others are hidden, and each of them may be residual blocks instead
(`g_blocks`, `d_blocks`).

Metz et al. 2017 (unrolled GANs) have tiny ones of the same kind: kernels of 3x3 (`stage_kernel`), a generator whose
stages all are hidden, with a convolution to the image behind them (`g_last`), and a discriminator that is a half or a
quarter as wide (`d_image_maps`).

What the table leaves open is decided so:
- Blocks change the resolution once, in the first layer of the first one, 4x4 with stride 2, and there the number of
  maps too; all other layers are 3x3 with stride 1. (The table gives a stride of 2 to the first layer of every block,
  which would halve as often as there are blocks.)
- A block is x + unit(unit(x)), nothing after the sum, as in the plane. The shortcut of the first block is a 1x1
  convolution to its number of maps, without norm or activation, and the mean of 2x2 pixels, or each pixel four times:
  so what is learned of neighbours is in the residual alone.
- A layer has a bias unless the norm behind it takes each map's mean away.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers import (
    EqualizedConv2D,
    LatentProjection,
    PixelNorm,
    StridedConv2D,
    box_downsample,
    nearest_upsample,
)
from pgan_tf.layers.activations import OUTPUTS
from pgan_tf.layers.norms import NORMS
from pgan_tf.layers.widening import Part, length, whole
from pgan_tf.networks.base import DiscriminatorOutput, GeneratorOutput
from pgan_tf.networks.blocks import plain, residual
from pgan_tf.networks.grouped import GroupedDiscriminator
from pgan_tf.networks.pictures import ImageGenerator
from pgan_tf.networks.unit import UnitNetwork
from pgan_tf.option import ConfigError
from pgan_tf.stages import Fade, Size

SMALLEST = 4  # sizes below twice this are not halved


class Last(NamedTuple):
    """The generator's layer that makes the image."""

    stages: int  # in whose place it stands: a hidden stage may be blocks, this one never is
    kind: type
    kernel_size: int  # 0: the stages' own
    options: dict[str, object]


LAST = {
    "strided": Last(1, StridedConv2D, 0, {"resample": "up"}),
    "plain": Last(0, EqualizedConv2D, 3, {}),
}


def halvings(resolution: int) -> int:
    """How often images are halved, down to 4 to 7 pixels: once at least. ValueError for a size that cannot be."""
    times = max((resolution // SMALLEST).bit_length() - 1, 0)
    if times < 1 or resolution % 2**times:
        below = max(resolution >> times << times, 2 * SMALLEST)
        raise ValueError(
            f"{resolution}x{resolution} cannot be halved down to a whole size of {SMALLEST} to {2 * SMALLEST - 1}; "
            f"{below}x{below} can be, as 28x28 and 32x32"
        )
    return times


def check_blocks(config: Config, sizes: list[Size]) -> None:
    """ConfigError where there are no networks by these options for images of that size."""
    resolution = sizes[-1].resolution
    try:
        times = halvings(resolution)
    except ValueError as error:
        raise ConfigError(f"--family=dcgan: {error}") from None
    for option, unblocked in (("g_blocks", LAST[config.model.g_last].stages), ("d_blocks", 1)):
        if getattr(config.model, option) and times <= unblocked:
            raise ConfigError(
                f"--{option}={getattr(config.model, option)}: takes the place of a hidden stage, and images of "
                f"{resolution}x{resolution} are halved once, without one; give 0, or larger images"
            )


class Stage(NamedTuple):
    """Layers that change the resolution once: one, or two for each block."""

    layers: list
    shortcut: EqualizedConv2D | None  # of the first block


def layers_of(stage: Stage) -> list:
    return [*([stage.shortcut] if stage.shortcut else []), *stage.layers]


class ConvolutionalNetwork(UnitNetwork):
    """What generator and discriminator share: stages."""

    family = "dcgan"
    direction: str  # of its stages: up or down
    nearest = 1  # how often the image is halved where its features next to it are

    def __init__(self, **options):
        super().__init__(**options)
        self.image_maps = self.options.image_maps
        self.halvings = halvings(self.resolution)
        self.smallest = self.resolution >> self.halvings
        self.sample_shape = (self.resolution, self.resolution, self.num_channels)
        self.colours = Part(self.num_channels, self.num_channels)

    def maps(self, halved: int) -> Part:
        """Feature maps where the image has been halved so often, `nearest` times at least."""
        return self.wide(min(self.image_maps << (halved - self.nearest), self.options.fmap_max))

    def needs_bias(self, normed: bool = True) -> bool:
        """Whether a layer has a bias, before a norm or not."""
        return not (normed and NORMS[self.norm_row].centres)

    def stage(self, name: str, inputs: Part, outputs: Part, size: int, blocks: int = 0, normed=True) -> Stage:
        """Builds it for images [size,size,inputs]."""
        options = {"normed": normed, "bias": self.needs_bias(normed)}
        strided = {"resample": self.direction, "kernel_size": self.options.stage_kernel, **options}
        if not blocks:
            return Stage([self.unit(StridedConv2D, name, (inputs,), outputs, size, **strided)], None)
        resized = 2 * size if self.direction == "up" else size // 2
        names = [f"{name}{i}_{j}" for i in range(blocks) for j in range(2)]
        layers = [self.unit(StridedConv2D, names[0], (inputs,), outputs, size, **strided)]
        layers += [self.unit(EqualizedConv2D, other, (outputs,), outputs, resized, **options) for other in names[1:]]
        pixel = {"kernel_size": 1, "gain": 1.0}
        return Stage(
            layers, self.layer(EqualizedConv2D, f"{name}_Short", (inputs,), outputs, min(size, resized), **pixel)
        )

    def block_layers(self):
        return [layers_of(stage) for stage in self.stages]

    def through(self, stage: Stage, x, moment: Fade, training=False, noise=None):
        """[N,S,S,in] -> [N,2S,2S,out], or [N,S/2,S/2,out]."""

        def layers(x, moment, noise):
            steps = self.steps(stage.layers, moment, training, noise)
            if stage.shortcut is None:
                return plain(steps, x)
            first, second, *later = steps
            x = second(first(x)) + self.short(stage.shortcut, x, moment, training)
            return residual(later, x)

        return self.block(layers_of(stage), layers, x, moment, noise)

    def short(self, shortcut: EqualizedConv2D, x, moment: Fade, training=False):
        """As `through`. The convolution, which sees one pixel at a time, is where there are fewer of them."""
        x = box_downsample(x, 2) if self.direction == "down" else x
        x = shortcut(x, beta=moment.beta, training=training)
        return nearest_upsample(x) if self.direction == "up" else x


@keras.saving.register_keras_serializable("pgan_tf")
class ConvolutionalGenerator(ConvolutionalNetwork, ImageGenerator):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> images [N,R,R,C]."""

    direction = "up"

    def __init__(self, **options):
        super().__init__(**options)
        last = LAST[self.options.g_last]
        self.nearest = last.stages
        inputs, epsilon, size = self.input_axis(), self.options.pixelnorm_epsilon, self.smallest
        self.pixel_norm = PixelNorm(epsilon, inputs, name="pixel_norm", dtype=self.dtype_policy)
        self.reference = self.make_reference((length(inputs),))
        name, base = f"{size}x{size}_Dense", {"base": size, "bias": self.needs_bias()}
        self.dense = self.unit(LatentProjection, name, inputs, self.maps(self.halvings), **base)
        self.stages = []
        for halved in range(self.halvings, self.nearest, -1):
            name, maps = f"{2 * size}x{2 * size}_Deconv", (self.maps(halved), self.maps(halved - 1))
            self.stages.append(self.stage(name, *maps, size, self.options.g_blocks))
            size *= 2
        own = {**last.options, "kernel_size": last.kernel_size or self.options.stage_kernel}
        self.out = self.layer(last.kind, "Out", (self.maps(last.stages),), self.colours, size, gain=1.0, **own)
        self.built = True

    def after_reference(self, x, moment: Fade, training=False, with_features=False):
        """[N,S,S,C] behind the reference batch -> what `call` returns."""
        for stage in self.stages:
            x = self.through(stage, x, moment, training)
        x = self.reference.behind(x)  # [N,R/2,R/2,C], with g_last=plain [N,R,R,C]
        images = OUTPUTS[self.options.g_output](self.out(x, beta=moment.beta, training=training))  # [N,R,R,C]
        return GeneratorOutput(images, x) if with_features else images


@keras.saving.register_keras_serializable("pgan_tf")
class ConvolutionalDiscriminator(ConvolutionalNetwork, GroupedDiscriminator):
    """Images [N,R,R,C] -> DiscriminatorOutput; what it is told of the minibatch comes before its last layer."""

    direction = "down"

    def __init__(self, **options):
        super().__init__(**options)
        self.image_maps = self.options.d_image_maps or self.options.image_maps
        self.reference = self.make_reference(self.sample_shape)
        size, maps = self.resolution, self.colours
        self.stages = []
        for halved in range(1, self.halvings + 1):
            blocks = self.options.d_blocks if halved > 1 else 0
            stage = self.stage(f"{size}x{size}_Conv", maps, self.maps(halved), size, blocks, normed=halved > 1)
            self.stages.append(stage)
            size, maps = size // 2, self.maps(halved)
        inputs = whole(size * size * length(self.make_statistics(maps, size)))
        self.out = self.last_layer("Out", inputs)
        self.built = True

    def call(self, images, alpha=None, beta=None, tau=None, training=False, noise=None):
        moment, x = self.fade(alpha, beta, tau), self.reference(images)
        for stage in self.stages:
            x = self.through(stage, x, moment, training, noise)  # [N,S,S,C] in the end
        features = flat(self.reference.behind(x))  # [N,S*S*C]
        x = flat(self.reference.behind(self.tell(x, moment, training)))  # [N,S*S*(C+T)]
        x = self.out(x, beta=moment.beta, training=training)  # [N,1+labels]
        return DiscriminatorOutput(scores=x[:, 0], labels=x[:, 1:], features=features)


def flat(x: tf.Tensor) -> tf.Tensor:
    """[N,H,W,C] -> [N,H*W*C]."""
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])
