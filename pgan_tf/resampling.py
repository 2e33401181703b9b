"""Which form of the resampling convolutions is faster on this machine: what --resampling=auto becomes."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from pgan_tf import probe
from pgan_tf.config import Config
from pgan_tf.devices import Hardware
from pgan_tf.layers.fused import FORMS, Form

WORTHWHILE = 1.05  # times as fast: less may be noise
PROBE_SECONDS = 0.6


def resolve(
    config: Config, hardware: Hardware, gains: Callable[[str], dict[str, float]] | None = None
) -> tuple[Config, str]:
    """The options with the form that they ask for, and in words what was chosen, '' where nothing was.

    gains: measures how many times as fast as strided each other form is in an arithmetic. GPUs' libraries are made for
    strided convolutions.
    """
    if config.optim.resampling != "auto":
        return config, ""
    if hardware.gpus:
        return config.replace(resampling="strided"), ""
    times = (gains or measured_gains)(config.optim.precision)
    fastest = max(times, key=times.get)
    chosen = fastest if times[fastest] >= WORTHWHILE else "strided"
    measured = ", ".join(f"{form} {gain:.2f}" for form, gain in times.items())
    return config.replace(resampling=chosen), f"{chosen} resampling (auto: {measured} times as fast as strided)"


def measured_gains(precision: str) -> dict[str, float]:
    """{form: how many times as fast as strided it is}, on the first device."""
    best = probe.seconds({name: _gradients(form, precision) for name, form in FORMS.items()}, PROBE_SECONDS)
    return {form: best["strided"] / best[form] for form in FORMS if form != "strided"}


def _gradients(form: Form, precision: str) -> Callable[[], None]:
    """Both resampling convolutions of 64 maps between 8x8 and 16x16, with all their gradients."""
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

    return lambda: step().numpy()
