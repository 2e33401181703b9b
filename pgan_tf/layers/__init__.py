"""The layers of the progressive GAN. Images and features are NHWC; weights lie as in the original."""

from pgan_tf.layers.equalized import EqualizedConv2D, EqualizedDense, LatentProjection
from pgan_tf.layers.fade import fade
from pgan_tf.layers.minibatch import MinibatchStdDev
from pgan_tf.layers.normalization import PixelNorm
from pgan_tf.layers.resample import box_downsample, nearest_upsample

__all__ = [
    "EqualizedConv2D",
    "EqualizedDense",
    "LatentProjection",
    "MinibatchStdDev",
    "PixelNorm",
    "box_downsample",
    "fade",
    "nearest_upsample",
]
