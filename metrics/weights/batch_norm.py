"""A convolution and the batch normalisation after it, as one convolution with a bias: same function, half the work."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import MetricError

NORM = ("weight", "bias", "running_mean", "running_var")  # torch's names of gamma, beta and the moments


def fold(
    tensors: Mapping[str, np.ndarray], kernel: str, norm: str, shape: tuple[int, int, int, int], epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """-> (kernel [kh,kw,in,out], bias [out]), float32, of what `norm` makes of the convolution by `kernel`.

    Args:
        tensors: torch's tensors by name.
        kernel: the convolution's weight, [out,in,kh,kw].
        norm: the batch normalisation's prefix; each of its four tensors is [out].
        shape: what the kernel must be, [kh,kw,in,out].
        epsilon: added to the variance.

    MetricError if a tensor is missing or has another shape.
    """
    height, width, inputs, outputs = shape
    weight = take(tensors, kernel, (outputs, inputs, height, width))
    gamma, beta, mean, variance = (take(tensors, f"{norm}.{name}", (outputs,)) for name in NORM)
    scale = gamma / np.sqrt(variance + epsilon)  # [out], float64
    folded = weight.transpose(2, 3, 1, 0) * scale  # [kh,kw,in,out]
    return folded.astype(np.float32), (beta - mean * scale).astype(np.float32)


def take(tensors: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The tensor of that name as float64, if it has that shape; MetricError if not."""
    if name not in tensors:
        raise MetricError(f"the weights have no tensor {name}: this is the file of another network")
    if tensors[name].shape != shape:
        raise MetricError(f"the weights' {name} is {list(tensors[name].shape)}, not {list(shape)}: another network's")
    return tensors[name].astype(np.float64)
