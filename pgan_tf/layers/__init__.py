"""The layers of the progressive GAN. Images and features are NHWC; weights lie as in the original."""

from pgan_tf.layers.equalized import EqualizedConv2D, EqualizedDense, LatentProjection
from pgan_tf.layers.fade import fade
from pgan_tf.layers.minibatch import MINIBATCH_STATISTICS, MinibatchStatistics
from pgan_tf.layers.normalization import PixelNorm
from pgan_tf.layers.resample import box_downsample, detail, nearest_upsample
from pgan_tf.layers.strided import StridedConv2D

__all__ = [
    "MINIBATCH_STATISTICS",
    "EqualizedConv2D",
    "EqualizedDense",
    "LatentProjection",
    "MinibatchStatistics",
    "PixelNorm",
    "StridedConv2D",
    "box_downsample",
    "detail",
    "fade",
    "nearest_upsample",
]
