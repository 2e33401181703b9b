"""Convolutions with a kernel of 4x4 and a stride of 2, and their transposes: those of the DCGAN."""

from __future__ import annotations

import keras

from pgan_tf.layers.equalized import Equalized
from pgan_tf.layers.fused import FORMS
from pgan_tf.layers.widening import whole

SIZE, STRIDE = 4, 2
TAPS = {"down": SIZE**2, "up": SIZE**2 // STRIDE**2}  # of the kernel, that enter into one pixel


@keras.saving.register_keras_serializable("pgan_tf")
class StridedConv2D(Equalized):
    """[N,H,W,in] -> [N,H/2,W/2,filters] ('down'), or the transposed convolution, [N,2H,2W,filters] ('up').

    Padded as Keras' "same". `form`, a name of layers.fused.FORMS, says how it is computed; see EqualizedConv2D.
    """

    form = "strided"

    def __init__(self, filters: int, resample: str, **kwargs):
        super().__init__(**kwargs)
        if resample not in TAPS:
            raise ValueError(f"resample={resample!r}: choose {' or '.join(TAPS)}")
        self.filters, self.resample = filters, resample
        self.output_axis = -2 if resample == "up" else -1

    def build(self, input_shape):
        _, height, width, features = input_shape
        inputs, outputs = self.parts(features, self.filters)
        channels = ((outputs,), inputs) if self.resample == "up" else (inputs, (outputs,))
        taps = TAPS[self.resample]
        self.add_parameters((whole(SIZE), whole(SIZE), *channels), tuple(part.times(taps) for part in inputs), outputs)
        sides = [side * STRIDE if self.resample == "up" else side // STRIDE for side in (height, width)]
        self.output_size = (*sides, self.filters)
        self.flops = 2 * taps * features * self.outputs_per_image

    def call(self, x, beta=1.0, training=False):
        resample = getattr(FORMS[self.form], self.resample)
        return self.add_bias(resample(x, self.scaled_weight(beta, training)), beta)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "resample": self.resample}
