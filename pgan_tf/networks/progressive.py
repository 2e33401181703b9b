"""Generator and discriminator of the progressive GAN, as they are at one stage of their growth.

A network has the layers that its stage computes and no others: at resolution R the blocks 4x4 .. RxR and the RGB
layer of R; while R fades in also the RGB layer of R/2. Layers bear the original's names with the resolution in
place of the level of detail: `8x8_Conv0_up`, `ToRGB_16x16`. The constants (gains, biases, order of activation and
normalisation) are those of the original, held by tests/networks.
"""

from __future__ import annotations

import math
import zlib
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgan_tf.layers import (
    EqualizedConv2D,
    EqualizedDense,
    LatentProjection,
    MinibatchStatistics,
    PixelNorm,
    box_downsample,
    fade,
    nearest_upsample,
)
from pgan_tf.networks.blocks import find_block

LEAK = 0.2


def feature_maps(resolution: int, fmap_base: int, fmap_decay: float, fmap_max: int) -> int:
    """Feature maps of the blocks at `resolution` (2: the latents): min(base / 2^(stage * decay), max)."""
    stage = int(math.log2(resolution)) - 1
    return min(int(fmap_base / 2.0 ** (stage * fmap_decay)), fmap_max)


class DiscriminatorOutput(NamedTuple):
    """What the discriminator says of N images."""

    scores: tf.Tensor  # [N], higher = more real
    labels: tf.Tensor  # [N, label_size] logits; label_size may be 0
    features: tf.Tensor  # [N, F], the last hidden layer


class ProgressiveNetwork(keras.Model):
    """What generator and discriminator share: their options, reproducible layers, the sizes of a stage."""

    def __init__(
        self,
        resolution: int = 32,
        fading: bool = False,
        num_channels: int = 3,
        label_size: int = 0,
        fmap_base: int = 8192,
        fmap_decay: float = 1.0,
        fmap_max: int = 512,
        use_wscale: bool = True,
        fused_scale: bool = True,
        residual_blocks: int = 1,
        alpha: float = 1.0,
        seed: int = 0,
        **kwargs,
    ):
        # Keras would number the networks of a process, and a run that goes on has made fewer: its files would differ.
        super().__init__(**{"name": type(self).__name__.lower(), **kwargs})
        if resolution < 4 or resolution & (resolution - 1):
            raise ValueError(f"resolution={resolution}: must be a power of two from 4 up")
        if residual_blocks < 1:
            raise ValueError(f"residual_blocks={residual_blocks}: must be at least 1")
        self.resolution, self.fading = resolution, fading and resolution > 4
        self.num_channels, self.label_size = num_channels, label_size
        self.fmap_base, self.fmap_decay, self.fmap_max = fmap_base, fmap_decay, fmap_max
        self.use_wscale, self.fused_scale = use_wscale, fused_scale
        self.residual_blocks = residual_blocks  # per resolution, where the blocks are residual
        self.alpha = alpha  # the fade used where a call gives none; what a saved network had when it was saved
        self.seed = seed

    def maps(self, resolution: int) -> int:
        return feature_maps(resolution, self.fmap_base, self.fmap_decay, self.fmap_max)

    def block_resolutions(self) -> list[int]:
        """8, 16, .. up to the stage's resolution."""
        return [2**k for k in range(3, int(math.log2(self.resolution)) + 1)]

    def rgb_resolutions(self) -> list[int]:
        """The resolutions of the RGB layers: the stage's own, and the one that fades out."""
        return [self.resolution] + ([self.resolution // 2] if self.fading else [])

    def layer(self, kind, size: int, name: str, input_shape, **options):
        """A built equalized layer whose initial weights follow from the network's seed and the layer's name."""
        seed = zlib.crc32(f"{self.seed}/{type(self).__name__}/{name}".encode())
        layer = kind(size, use_wscale=self.use_wscale, seed=seed, name=name, dtype=self.dtype_policy, **options)
        layer.build(input_shape)
        return layer

    def __call__(self, inputs, *args, **kwargs):
        """Keras' call, with one line for inputs of other shapes. ValueError."""
        given = _shapes(inputs)
        if not self.takes(given):
            names = " and ".join(f"{name} {_shown(shape)}" for name, shape in self.wanted_inputs().items())
            raise ValueError(f"{self.name}: this network wants {names}, not {' and '.join(map(_shown, given))}")
        return super().__call__(inputs, *args, **kwargs)

    def wanted_inputs(self) -> dict[str, tuple]:
        """{what an input is called: its shape}, None for the samples."""
        raise NotImplementedError

    def takes(self, shapes: list[tuple]) -> bool:
        """Whether inputs of these shapes are what it wants."""
        wanted = list(self.wanted_inputs().values())
        return len(shapes) == len(wanted) and all(map(_fits, shapes, wanted))

    def build_from_config(self, config):
        """Nothing: a network is built when it is made, by its options, whatever shape a file says."""

    def export(self, *args, **kwargs):
        """Keras' export, which wants a network that has been called."""
        zeros = [tf.zeros([1, *shape[1:]], self.input_dtype) for shape in self.wanted_inputs().values()]
        self(zeros if len(zeros) > 1 else zeros[0])
        super().export(*args, **kwargs)

    def resample_by(self, form: str) -> None:
        """Computes the fused resampling in that form of layers.fused.FORMS from now on; what is computed stays."""
        for layer in self.layers:
            if isinstance(layer, EqualizedConv2D):
                layer.form = form

    def parameters_by_name(self) -> dict[str, keras.Variable]:
        """{'8x8_Conv1/weight': variable, ...}: the same name means the same parameter at every stage."""
        return {f"{layer.name}/{v.name}": v for layer in self.layers for v in layer.trainable_variables}

    def variables_by_name(self) -> dict[str, keras.Variable]:
        """All that the network knows, trained or not: what is saved, carried over and resumed."""
        return {f"{layer.name}/{v.name}": v for layer in self.layers for v in layer.variables}

    def get_config(self):
        names = "resolution fading num_channels label_size fmap_base fmap_decay fmap_max use_wscale fused_scale"
        config = {name: getattr(self, name) for name in [*names.split(), "residual_blocks"]}
        return {**super().get_config(), **config, "alpha": float(self.alpha), "seed": self.seed}


@keras.saving.register_keras_serializable("pgan_tf")
class Generator(ProgressiveNetwork):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> images [N,R,R,C], about -1..1.

    Paper table 2. `latent_size=0` means min(fmap_base, fmap_max).
    """

    def __init__(
        self,
        latent_size: int = 0,
        normalize_latents: bool = True,
        use_pixelnorm: bool = True,
        pixelnorm_epsilon: float = 1e-8,
        use_leakyrelu: bool = True,
        g_block: str = "plain",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.latent_size = latent_size or self.maps(2)
        self.normalize_latents, self.use_pixelnorm = normalize_latents, use_pixelnorm
        self.pixelnorm_epsilon, self.use_leakyrelu = pixelnorm_epsilon, use_leakyrelu
        self.g_block = g_block
        self.pixel_norm = PixelNorm(pixelnorm_epsilon, name="pixel_norm", dtype=self.dtype_policy)
        shapes = list(self.wanted_inputs().values())
        self.build(shapes if self.label_size else shapes[0])

    def wanted_inputs(self) -> dict[str, tuple]:
        shapes = {"latents": (None, self.latent_size), "labels": (None, self.label_size)}
        return {name: shape for name, shape in shapes.items() if shape[1]}

    def takes(self, shapes: list[tuple]) -> bool:
        joined = (None, self.latent_size + self.label_size)  # as the first layer has them
        return super().takes(shapes) or (len(shapes) == 1 and _fits(shapes[0], joined))

    def build(self, input_shape):
        inputs = self.latent_size + self.label_size
        self.pixel_norm.build((None, inputs))
        self.dense = self.layer(LatentProjection, self.maps(4), "4x4_Dense", (None, inputs), gain=math.sqrt(2) / 4)
        self.conv = self._conv("4x4_Conv", 4, 4)
        self.blocks = [self._block(res) for res in self.block_resolutions()]
        self.to_rgb = [
            self.layer(
                EqualizedConv2D, self.num_channels, f"ToRGB_{res}x{res}", (None, res, res, self.maps(res)),
                kernel_size=1, gain=1.0,
            )
            for res in self.rgb_resolutions()
        ]  # fmt: skip
        self.built = True

    def _conv(self, name: str, res: int, input_res: int, resample: str = "none"):
        """The 3x3 convolution `name` to the maps of `res` from those of `input_res`."""
        size = res // 2 if resample == "up" else res  # beside a convolution, the resampling comes before it
        shape = (None, size, size, self.maps(input_res))
        return self.layer(EqualizedConv2D, self.maps(res), name, shape, resample=resample)

    def _block(self, res: int) -> list:
        """The up-sampling convolution to `res`, then those of the block."""
        name, count = f"{res}x{res}", find_block(self.g_block).convolutions(self.residual_blocks)
        first = ("Conv0_up", "up") if self.fused_scale else ("Conv0", "none")
        up = self._conv(f"{name}_{first[0]}", res, res // 2, first[1])
        return [up, *(self._conv(f"{name}_Conv{i}", res, res) for i in range(1, count + 1))]

    def _activate(self, x):
        x = tf.nn.leaky_relu(x, LEAK) if self.use_leakyrelu else tf.nn.relu(x)
        return self.pixel_norm(x) if self.use_pixelnorm else x

    def call(self, inputs, alpha=None, with_features=False):
        """-> images, or (images, features [N,R,R,C] of the last hidden layer)."""
        return self.synthesize(self.project(inputs), alpha, with_features)

    def project(self, inputs):
        """What the first layer makes of the latents, and labels: [N,4,4,C]."""
        x = tf.concat(inputs, axis=-1) if isinstance(inputs, (tuple, list)) else inputs  # [N,latent+labels]
        x = self.pixel_norm(x) if self.normalize_latents else x
        return self._activate(self.dense(x))  # [N,4,4,C]

    def synthesize(self, x, alpha=None, with_features=False):
        """All layers after the first: `project`'s [N,4,4,C] -> what `call` returns."""
        alpha = self.alpha if alpha is None else alpha
        x = self._activate(self.conv(x))
        old, block = x, find_block(self.g_block)
        for up, *convolutions in self.blocks:
            old = x
            x = up(x if self.fused_scale else nearest_upsample(x))  # [N,2R,2R,C]
            x = block.apply(convolutions, self._activate, self._activate(x))
        images = self.to_rgb[0](x)  # [N,R,R,C]
        if self.fading:
            images = fade(nearest_upsample(self.to_rgb[1](old)), images, alpha)
        return (images, x) if with_features else images

    def get_config(self):
        names = "latent_size normalize_latents use_pixelnorm pixelnorm_epsilon use_leakyrelu g_block"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


@keras.saving.register_keras_serializable("pgan_tf")
class Discriminator(ProgressiveNetwork):
    """Images [N,R,R,C] -> DiscriminatorOutput. Paper table 2.

    While it trains, `noise` may change what goes into each convolution of 3x3 and 4x4; see pgan_tf/layers/noise.py.
    """

    def __init__(
        self, mbstd_group_size: int = 4, minibatch_statistics: str = "stddev", d_block: str = "plain", **kwargs
    ):
        super().__init__(**kwargs)
        self.mbstd_group_size, self.minibatch_statistics = mbstd_group_size, minibatch_statistics
        self.d_block = d_block
        self.build(self.wanted_inputs()["images"])

    def wanted_inputs(self) -> dict[str, tuple]:
        return {"images": (None, self.resolution, self.resolution, self.num_channels)}

    def build(self, input_shape):
        self.from_rgb = [
            self.layer(
                EqualizedConv2D, self.maps(res), f"FromRGB_{res}x{res}", (None, res, res, self.num_channels),
                kernel_size=1,
            )
            for res in self.rgb_resolutions()
        ]  # fmt: skip
        self.blocks = [self._block(res) for res in reversed(self.block_resolutions())]
        self.statistics = MinibatchStatistics(
            self.mbstd_group_size, self.minibatch_statistics, name="minibatch_statistics", dtype=self.dtype_policy
        )
        maps = self.maps(4)
        self.statistics.build((None, 4, 4, maps))
        more = self.statistics.maps if self.mbstd_group_size > 1 else 0
        self.conv = self.layer(EqualizedConv2D, maps, "4x4_Conv", (None, 4, 4, maps + more))
        self.dense0 = self.layer(EqualizedDense, self.maps(2), "4x4_Dense0", (None, maps * 16))
        self.dense1 = self.layer(EqualizedDense, 1 + self.label_size, "4x4_Dense1", (None, self.maps(2)), gain=1.0)
        self.built = True

    def _block(self, res: int) -> list:
        """The block's convolutions, then the down-sampling one to `res` / 2."""
        name, shape = f"{res}x{res}", (None, res, res, self.maps(res))
        count = find_block(self.d_block).convolutions(self.residual_blocks)
        last = (f"Conv{count}_down", "down") if self.fused_scale else (f"Conv{count}", "none")
        return [
            *(self.layer(EqualizedConv2D, self.maps(res), f"{name}_Conv{i}", shape) for i in range(count)),
            self.layer(EqualizedConv2D, self.maps(res // 2), f"{name}_{last[0]}", shape, resample=last[1]),
        ]

    @property
    def separable(self) -> bool:
        """Whether what it says of one group of samples is independent of the other groups of the minibatch."""
        return self.mbstd_group_size <= 1 or not self.statistics.mixes_groups

    def call(self, images, alpha=None, noise=None):
        """`noise` takes the input of a convolution, of any shape, and returns one of the same shape."""
        alpha = self.alpha if alpha is None else alpha
        x, block = _leaky(self.from_rgb[0](images)), find_block(self.d_block)  # [N,R,R,C]
        for i, layers in enumerate(self.blocks):
            *convolutions, down = [_disturbed(layer, noise) for layer in layers]
            x = _leaky(down(block.apply(convolutions, _leaky, x)))
            x = x if self.fused_scale else box_downsample(x)  # [N,R/2,R/2,C]
            if i == 0 and self.fading:
                x = fade(_leaky(self.from_rgb[1](box_downsample(images))), x, alpha)
        x = self.statistics(x) if self.mbstd_group_size > 1 else x  # [N,4,4,C+S]
        x = _leaky(_disturbed(self.conv, noise)(x))
        x = tf.transpose(x, [0, 3, 1, 2])  # [N,C,4,4], the order in which the original flattens
        features = _leaky(_disturbed(self.dense0, noise)(tf.reshape(x, [-1, x.shape[1] * 16])))  # [N,F]
        x = tf.cast(self.dense1(features), self.variable_dtype)  # [N,1+labels]
        return DiscriminatorOutput(scores=x[:, 0], labels=x[:, 1:], features=features)

    def get_config(self):
        names = "mbstd_group_size minibatch_statistics d_block"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


def _shapes(inputs) -> list[tuple]:
    """The shape of each tensor or array of a call; labels of no components are none."""
    inputs = inputs if isinstance(inputs, (tuple, list)) else [inputs]
    shapes = [tuple(x.shape) if hasattr(x, "shape") else np.shape(x) for x in inputs]
    return [shape for shape in shapes if shape != (*shape[:1], 0)]


def _fits(given: tuple, wanted: tuple) -> bool:
    return len(given) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(given, wanted, strict=True)
    )


def _shown(shape: tuple) -> str:
    return "[" + ",".join("N" if size is None else str(size) for size in shape) + "]"


def _leaky(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, LEAK)


def _disturbed(layer, noise):
    """The layer behind the noise: x -> layer(noise(x)); the layer itself where there is none."""
    return layer if noise is None else lambda x: layer(noise(x))
