"""Which form of the resampling convolutions is faster on this machine: what --resampling=auto becomes."""

from __future__ import annotations

import time
from collections.abc import Callable

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.devices import Hardware
from pgan_tf.layers.fused import FORMS, Form

WORTHWHILE = 1.05  # times as fast: less may be noise
PROBE_SECONDS = 0.3  # for each form


def resolve(
    config: Config, hardware: Hardware, seconds: Callable[[Form, str], float] | None = None
) -> tuple[Config, str]:
    """The options with the form that they ask for, and in words what was chosen, '' where nothing was.

    seconds: measures a form in an arithmetic. On GPUs strided convolutions are the ones that libraries are made for.
    """
    if config.optim.resampling != "auto":
        return config, ""
    if hardware.gpus:
        return config.replace(resampling="strided"), ""
    measure = seconds or measured_seconds
    gain = measure(FORMS["strided"], config.optim.precision) / measure(FORMS["shuffled"], config.optim.precision)
    chosen = "shuffled" if gain >= WORTHWHILE else "strided"
    return config.replace(resampling=chosen), f"{chosen} resampling (auto: shuffled is {gain:.2f} times as fast)"


def measured_seconds(form: Form, precision: str) -> float:
    """Seconds of both resampling convolutions of 64 maps between 8x8 and 16x16, with all their gradients."""
    small, large, kernel = (
        tf.cast(tf.random.stateless_normal(shape, [1, 2]), precision)
        for shape in ([16, 8, 8, 64], [16, 16, 16, 64], [4, 4, 64, 64])
    )

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([small, large, kernel])
            results = [form.up(small, kernel), form.down(large, kernel)]
        gradients = tape.gradient(results, [small, large, kernel], output_gradients=results)
        return tf.add_n([tf.reduce_sum(tf.cast(gradient, tf.float32)) for gradient in gradients])

    step().numpy()  # traces
    best, began = float("inf"), time.monotonic()
    while (now := time.monotonic()) < began + PROBE_SECONDS:
        step().numpy()
        best = min(best, time.monotonic() - now)
    return best
