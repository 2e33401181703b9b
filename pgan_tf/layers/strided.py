"""Convolutions with a kernel of 4x4 or 3x3 and a stride of 2, and their transposes: those of the DCGAN and its kin."""

from __future__ import annotations

import keras
import tensorflow as tf

from pgan_tf.layers.equalized import Equalized
from pgan_tf.layers.fused import FORMS
from pgan_tf.layers.widening import whole

SIZES, STRIDE = (3, 4), 2
TAPS = {"down": 1.0, "up": 1 / STRIDE**2}  # the share of the kernel that enters into one pixel, in the mean


@keras.saving.register_keras_serializable("pgan_tf")
class StridedConv2D(Equalized):
    """[N,H,W,in] -> [N,H/2,W/2,filters] ('down'), or the transposed convolution, [N,2H,2W,filters] ('up').

    Padded as Keras' "same". `kernel_size`: 4 or 3. `form`, a name of layers.fused.FORMS, says how it is computed; see
    EqualizedConv2D.
    """

    form = "strided"

    def __init__(self, filters: int, resample: str, kernel_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        if kernel_size not in SIZES:
            raise ValueError(f"kernel_size={kernel_size}: choose {' or '.join(map(str, SIZES))}")
        if resample not in TAPS:
            raise ValueError(f"resample={resample!r}: choose {' or '.join(TAPS)}")
        self.filters, self.resample, self.kernel_size = filters, resample, kernel_size
        self.output_axis = -2 if resample == "up" else -1

    def build(self, input_shape):
        _, height, width, features = input_shape
        inputs, outputs = self.parts(features, self.filters)
        channels = ((outputs,), inputs) if self.resample == "up" else (inputs, (outputs,))
        rows, taps = whole(self.kernel_size), self.kernel_size**2 * TAPS[self.resample]
        self.add_parameters((rows, rows, *channels), tuple(part.times(taps) for part in inputs), outputs)
        sides = [side * STRIDE if self.resample == "up" else side // STRIDE for side in (height, width)]
        self.output_size = (*sides, self.filters)
        self.flops = 2 * taps * features * self.outputs_per_image

    def call(self, x, beta=1.0, training=False):
        resample = getattr(FORMS[self.form], self.resample)
        return self.add_bias(resample(x, self.kernel(beta, training)), beta)

    def kernel(self, beta=1.0, training=False) -> tf.Tensor:
        """The weight as it is used, [4,4,..]: one of 3x3 lies in its last rows and columns, as "same" pads it."""
        missing = 4 - self.kernel_size
        weight = self.scaled_weight(beta, training)
        return tf.pad(weight, [(missing, 0), (missing, 0), (0, 0), (0, 0)]) if missing else weight

    def get_config(self):
        own = {"filters": self.filters, "resample": self.resample, "kernel_size": self.kernel_size}
        return {**super().get_config(), **own}
