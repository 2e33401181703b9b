"""Generator and discriminator of the progressive GAN, as they are at one stage of their growth.

A network has the layers that its stage computes and no others: at resolution R the blocks 4x4 .. RxR and the RGB
layer of R; while R fades in also the RGB layer of R/2. Layers bear the original's names with the resolution in
place of the level of detail: `8x8_Conv0_up`, `ToRGB_16x16`. The constants (gains, biases, order of activation and
normalisation) are those of the original, held by tests/networks.
"""

from __future__ import annotations

import functools
import itertools
import math

import keras
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers import (
    EqualizedConv2D,
    EqualizedDense,
    LatentProjection,
    PixelNorm,
    box_downsample,
    fade,
    nearest_upsample,
)
from pgan_tf.layers.activations import OUTPUTS
from pgan_tf.layers.widening import Part, length
from pgan_tf.networks.base import DiscriminatorOutput, GeneratorOutput
from pgan_tf.networks.blocks import find_block
from pgan_tf.networks.grouped import GroupedDiscriminator
from pgan_tf.networks.pictures import ImageGenerator
from pgan_tf.networks.unit import UnitNetwork
from pgan_tf.option import ConfigError
from pgan_tf.stages import Fade, Size


def feature_maps(resolution: int, fmap_base: int, fmap_decay: float, fmap_max: int) -> int:
    """Feature maps of the blocks at `resolution` (2: the latents): min(base / 2^(stage * decay), max)."""
    stage = int(math.log2(resolution)) - 1
    return min(int(fmap_base / 2.0 ** (stage * fmap_decay)), fmap_max)


def check_feature_maps(config: Config, sizes: list[Size]) -> None:
    """ConfigError unless a block has a feature map at least, and those of narrower networks are a whole number."""
    model, last = config.model, sizes[-1].resolution

    def maps(resolution: int) -> int:
        return feature_maps(resolution, model.fmap_base, model.fmap_decay, model.fmap_max)

    if maps(last) < 1:
        raise ConfigError(
            f"--fmap_base={model.fmap_base} --fmap_decay={model.fmap_decay:g}: no feature map is left at "
            f"{last}x{last}; raise --fmap_base"
        )
    for size, larger in reversed(list(itertools.pairwise(sizes))):  # the last ones fit soonest
        first = 2 if size.capped else size.resolution  # the widest alone is divided there
        for resolution in (2**k for k in range(first.bit_length() - 1, 0, -1)):
            if maps(resolution) % size.narrower:
                where = f"at {resolution}x{resolution}" if resolution > 2 else "of D's last hidden layer"
                raise ConfigError(
                    f"--grow={config.growth.grow}: the {maps(resolution)} feature maps {where} cannot be divided by "
                    f"{size.narrower}, as at level {size.level}; begin at --lod_initial_resolution={larger.level}, "
                    "or change --fmap_base and --fmap_max"
                )


class ProgressiveNetwork(UnitNetwork):
    """What generator and discriminator share: the resolutions and feature maps of a stage."""

    def __init__(self, **options):
        super().__init__(**options)
        if self.resolution < 4 or self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution={self.resolution}: must be a power of two from 4 up")
        if self.options.residual_blocks < 1:
            raise ValueError(f"residual_blocks={self.options.residual_blocks}: must be at least 1")
        self.fading = self.fading and self.resolution > 4
        self.sample_shape = (self.resolution, self.resolution, self.num_channels)

    def feature_maps(self, resolution: int) -> int:
        """Those of the whole network."""
        options = self.options
        return feature_maps(resolution, options.fmap_base, options.fmap_decay, options.fmap_max)

    @property
    def widest(self) -> int:
        return self.feature_maps(2)

    def maps(self, resolution: int, level: int) -> Part:
        """The maps of `resolution`, as they enter or leave a layer of `level`: one that is new has no new ones."""
        part = self.wide(self.feature_maps(resolution))
        return Part(part.now, part.now) if self.fading and level == self.resolution else part

    def block_resolutions(self) -> list[int]:
        """8, 16, .. up to the stage's resolution."""
        return [2**k for k in range(3, int(math.log2(self.resolution)) + 1)]

    def rgb_resolutions(self) -> list[int]:
        """The resolutions of the RGB layers: the stage's own, and the one that fades out."""
        return [self.resolution] + ([self.resolution // 2] if self.fading else [])


@keras.saving.register_keras_serializable("pgan_tf")
class Generator(ProgressiveNetwork, ImageGenerator):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> images [N,R,R,C], about -1..1.

    Paper table 2. `latent_size=0` means min(fmap_base, fmap_max).
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.pixel_norm = PixelNorm(
            self.options.pixelnorm_epsilon, self.input_axis(), name="pixel_norm", dtype=self.dtype_policy
        )
        shapes = list(self.wanted_inputs().values())
        self.build(shapes if self.label_size else shapes[0])

    def build(self, input_shape):
        inputs = self.input_axis()
        self.pixel_norm.build((None, length(inputs)))
        self.reference = self.make_reference((length(inputs),))
        self.dense = self.unit(LatentProjection, "4x4_Dense", inputs, self.maps(4, 4), gain=math.sqrt(2) / 4)
        self.conv = self._conv("4x4_Conv", 4, 4)
        self.blocks = [self._block(res) for res in self.block_resolutions()]
        colours = Part(self.num_channels, self.num_channels)
        rgb = functools.partial(self.layer, EqualizedConv2D, outputs=colours, kernel_size=1, gain=1.0)
        self.to_rgb = [rgb(f"ToRGB_{res}x{res}", (self.maps(res, res),), size=res) for res in self.rgb_resolutions()]
        self.built = True

    def _conv(self, name: str, res: int, input_res: int, resample: str = "none"):
        """The 3x3 convolution `name` to the maps of `res` from those of `input_res`."""
        size = res // 2 if resample == "up" else res  # beside a convolution, the resampling comes before it
        inputs, outputs = (self.maps(of, res) for of in (input_res, res))
        return self.unit(EqualizedConv2D, name, (inputs,), outputs, size, resample=resample)

    def _block(self, res: int) -> list:
        """The up-sampling convolution to `res`, then those of the block."""
        name, count = f"{res}x{res}", find_block(self.options.g_block).convolutions(self.options.residual_blocks)
        first = ("Conv0_up", "up") if self.options.fused_scale else ("Conv0", "none")
        up = self._conv(f"{name}_{first[0]}", res, res // 2, first[1])
        return [up, *(self._conv(f"{name}_Conv{i}", res, res) for i in range(1, count + 1))]

    def block_layers(self):
        return self.blocks

    def after_reference(self, x, moment: Fade, training=False, with_features=False):
        """[N,4,4,C] behind the reference batch -> what `call` returns."""
        block = find_block(self.options.g_block)

        def through(layers, x, moment, noise):
            up, *steps = self.steps(layers, moment, training)
            return block.apply(steps, up(x if self.options.fused_scale else nearest_upsample(x)))  # [N,2R,2R,C]

        x = old = self.steps([self.conv], moment, training)[0](x)
        for layers in self.blocks:
            old, x = x, self.block(layers, functools.partial(through, layers), x, moment)
        x = self.reference.behind(x)
        images = self.to_rgb[0](x, beta=moment.beta, training=training)  # [N,R,R,C]
        if self.fading:
            old = self.to_rgb[1](self.reference.behind(old), beta=moment.beta, training=training)
            images = fade(nearest_upsample(old), images, moment.alpha)
        images = OUTPUTS[self.options.g_output](images)
        return GeneratorOutput(images, x) if with_features else images


@keras.saving.register_keras_serializable("pgan_tf")
class Discriminator(ProgressiveNetwork, GroupedDiscriminator):
    """Images [N,R,R,C] -> DiscriminatorOutput. Paper table 2.

    While it trains, `noise` may change what goes into each convolution of 3x3 and 4x4; see pgan_tf/layers/noise.py.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.build(self.wanted_inputs()["images"])

    def build(self, input_shape):
        self.reference = self.make_reference(self.sample_shape)
        colours = (Part(self.num_channels, self.num_channels),)
        self.from_rgb = [
            self.unit(EqualizedConv2D, f"FromRGB_{res}x{res}", colours, self.maps(res, res), res, kernel_size=1)
            for res in self.rgb_resolutions()
        ]
        self.blocks = [self._block(res) for res in reversed(self.block_resolutions())]
        maps, hidden = self.maps(4, 4), self.maps(2, 4)
        told = self.make_statistics(maps, 4)
        self.conv = self.unit(EqualizedConv2D, "4x4_Conv", told, maps, 4)
        self.dense0 = self.unit(EqualizedDense, "4x4_Dense0", (maps.times(16),), hidden)
        self.dense1 = self.last_layer("4x4_Dense1", (hidden,))
        self.built = True

    def _block(self, res: int) -> list:
        """The block's convolutions, then the down-sampling one to `res` / 2."""
        name, maps, smaller = f"{res}x{res}", self.maps(res, res), self.maps(res // 2, res)
        count = find_block(self.options.d_block).convolutions(self.options.residual_blocks)
        last = (f"Conv{count}_down", "down") if self.options.fused_scale else (f"Conv{count}", "none")
        return [
            *(self.unit(EqualizedConv2D, f"{name}_Conv{i}", (maps,), maps, res) for i in range(count)),
            self.unit(EqualizedConv2D, f"{name}_{last[0]}", (maps,), smaller, res, resample=last[1]),
        ]

    def block_layers(self):
        return [[*self.from_rgb, *self.blocks[0]], *self.blocks[1:]] if self.blocks else []

    def call(self, images, alpha=None, beta=None, tau=None, training=False, noise=None):
        """`noise` takes the input of a convolution, of any shape, and returns one of the same shape."""
        moment, block = self.fade(alpha, beta, tau), find_block(self.options.d_block)
        images = self.reference(images)

        def through(layers, x, moment, noise):
            *steps, down = self.steps(layers, moment, training, noise)
            x = down(block.apply(steps, x))
            return x if self.options.fused_scale else box_downsample(x)  # [N,R/2,R/2,C]

        def first(layers, images, moment, noise):
            from_rgb = self.steps(self.from_rgb, moment, training)
            x = through(layers, from_rgb[0](images), moment, noise)
            return fade(from_rgb[1](box_downsample(images)), x, moment.alpha) if self.fading else x

        x = images if self.blocks else self.steps(self.from_rgb, moment, training)[0](images)  # [N,R,R,C]
        for i, (own, layers) in enumerate(zip(self.block_layers(), self.blocks, strict=True)):
            x = self.block(own, functools.partial(through if i else first, layers), x, moment, noise)
        x = self.tell(x, moment, training)  # [N,4,4,C+S]
        conv, dense = self.steps([self.conv, self.dense0], moment, training, noise)
        x = tf.transpose(conv(x), [0, 3, 1, 2])  # [N,C,4,4], the order in which the original flattens
        features = self.reference.behind(dense(tf.reshape(x, [-1, x.shape[1] * 16])))  # [N,F]
        x = self.dense1(features, beta=moment.beta, training=training)  # [N,1+labels]
        return DiscriminatorOutput(scores=x[:, 0], labels=x[:, 1:], features=features)
