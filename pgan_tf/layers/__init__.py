"""The layers of the progressive GAN. Images and features are NHWC; weights lie as in the original."""

from pgan_tf.layers.equalized import EqualizedConv2D, EqualizedDense, LatentProjection
from pgan_tf.layers.fade import fade
from pgan_tf.layers.minibatch import MINIBATCH_STATISTICS, MinibatchStatistics
from pgan_tf.layers.normalization import PixelNorm
from pgan_tf.layers.resample import box_downsample, detail, nearest_upsample

__all__ = [
    "MINIBATCH_STATISTICS",
    "EqualizedConv2D",
    "EqualizedDense",
    "LatentProjection",
    "MinibatchStatistics",
    "PixelNorm",
    "box_downsample",
    "detail",
    "fade",
    "nearest_upsample",
]
