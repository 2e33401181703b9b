"""Which arithmetic is fast on this machine, and what --precision=auto becomes.

Half precision is up to twice as fast as float32 where the hardware computes it, and up to 50 times slower where it is
emulated: bfloat16's convolution gradients on a CPU that has AVX2 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf import probe
from pgan_tf.config import Config, ConfigError
from pgan_tf.devices import Hardware
from pgan_tf.rules import no_float16

HALVES = ("bfloat16", "float16")  # the better one first: it needs no loss scale
CPU_BFLOAT16 = {"avx512_bf16", "amx_bf16"}
# The half precisions of NVIDIA's tensor cores, by the lowest compute capability that has them.
GPU_HALVES = (((8, 0), frozenset(HALVES)), ((7, 0), frozenset({"float16"})), ((0, 0), frozenset()))
WORTHWHILE = 1.1  # a measured gain from which on half precision is chosen: it costs accuracy
PROBE_SECONDS = 0.8


class Choice(NamedTuple):
    precision: str
    why: str  # for the user: 'auto: the CPU has avx512_bf16'


def computed(hardware: Hardware) -> tuple[frozenset[str] | None, str]:
    """The half precisions that the hardware is known to compute, and by what; None where only measuring can tell.

    Several GPUs: what the weakest one has. Arm's bf16 says what the CPU could do, not what TensorFlow makes of it.
    """
    if hardware.gpus:
        capabilities = [gpu.capability for gpu in hardware.gpus]
        if None in capabilities:
            return None, "a GPU without a compute capability"
        weakest = min(capabilities)
        halves = next(halves for lowest, halves in GPU_HALVES if weakest >= lowest)
        return halves, f"compute capability {weakest[0]}.{weakest[1]}"
    flags = hardware.cpu_flags
    if flags is None or hardware.settings or "bf16" in flags:
        return None, "the CPU's flags do not tell"
    features = sorted(CPU_BFLOAT16 & flags)
    if not features:
        return frozenset(), "the CPU has no bfloat16"
    return frozenset({"bfloat16"}), f"the CPU has {features[0]}"


def best(hardware: Hardware, gain: Callable[[str], float] | None = None) -> Choice:
    """What --precision=auto becomes. gain: measures how many times as fast as float32 a precision is."""
    halves, why = computed(hardware)
    if halves is not None:
        return Choice(next((half for half in HALVES if half in halves), "float32"), f"auto: {why}")
    times = (gain or measured_gain)("bfloat16")
    return Choice("bfloat16" if times >= WORTHWHILE else "float32", f"auto: bfloat16 is {_compared(times)}, measured")


def resolve(config: Config, hardware: Hardware, gain: Callable[[str], float] | None = None) -> tuple[Config, str]:
    """The options with the precision that they ask for, and in words: 'bfloat16 (auto: the CPU has avx512_bf16)'.

    A precision that is asked for by name is obeyed; where it is slow the words say how much.
    """
    if config.run.strategy == "single":
        hardware = hardware._replace(gpus=hardware.gpus[:1])
    asked = config.optim.precision
    if asked == "auto":
        chosen = best(hardware, gain)
        if chosen.precision == "float16" and (option := no_float16(config)):
            chosen = Choice("float32", f"auto: {option} cannot use float16")
        return config.replace(precision=chosen.precision), f"{chosen.precision} ({chosen.why})"
    if asked in HALVES and asked not in (computed(hardware)[0] or ()):
        times = (gain or measured_gain)(asked)
        if not times:
            raise ConfigError(f"--precision={asked}: this machine cannot compute it; use --precision=auto or float32")
        if times < 1:
            return config, f"{asked}, {_compared(times)}, measured; --precision=auto chooses the fast one"
    return config, asked


def _compared(times: float) -> str:
    """0.02 -> '50 times slower than float32 here'."""
    if not times:
        return "not to be had"
    if times >= 1:
        return f"{times:.1f} times as fast as float32 here"
    return f"{1 / times:.{0 if times < 0.1 else 1}f} times slower than float32 here"


def measured_gain(precision: str) -> float:
    """How many times as fast as float32's a convolution with its gradients is, on the first device; 0: it fails."""
    steps = {kind: _gradients(kind) for kind in ("float32", precision)}
    try:
        best = probe.seconds(steps, PROBE_SECONDS)
    except tf.errors.OpError:  # this machine's library has no such convolution
        return 0.0
    return best["float32"] / best[precision]


def _gradients(precision: str) -> Callable[[], None]:
    """A 3x3 convolution of 64 maps at 16x16, its gradients to the images and to the weights."""
    x = tf.cast(tf.random.stateless_normal([8, 16, 16, 64], [1, 2]), precision)  # [N,H,W,C]
    w = tf.cast(tf.random.stateless_normal([3, 3, 64, 64], [3, 4]), precision)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(x, w, 1, "SAME")  # [N,H,W,C]
        return [tf.reduce_sum(tf.cast(g, tf.float32)) for g in tape.gradient(y, [x, w], output_gradients=y)]

    return lambda: [value.numpy() for value in step()]
