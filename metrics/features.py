"""Runs an extractor over many images: streamed, in batches of one size, on all devices of a strategy."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from .errors import MetricError
from .extractors.base import Activations, Extractor
from .images import chunks
from .progress import progress as progress_of


def extract(
    extractor: Extractor,
    images: np.ndarray | Iterable[np.ndarray],
    count: int | None = None,
    strategy: tf.distribute.Strategy | None = None,
    batch_size: int = 64,
    what: str = "features",
    progress: bool = True,
) -> Activations:
    """What the extractor says of the images -> Activations of numpy arrays: features [N,F], logits [N,K], float32.

    Args:
        images: uint8 [n,H,W,C] arrays of any n, or one such array; one size and C throughout. No more of a stream than
            a few batches is held in memory, and no more is read than `count` needs.
        count: N; by default all there are.
        strategy: whose devices share each batch; by default the current one. Load the extractor in its scope, so that
            each device has the weights.
        batch_size: images a step, over all devices; made divisible by their number. The last batch is padded, and the
            padding thrown away: the result does not depend on the batches in which the images come.
        what: names these images in the bar and in messages.
        progress: whether to show how far it is, on stderr.

    MetricError: images of another type or of several sizes, fewer than `count`, none, or activations not finite.
    """
    strategy = strategy or tf.distribute.get_strategy()
    batch_size = -(-batch_size // strategy.num_replicas_in_sync) * strategy.num_replicas_in_sync
    step, done, parts = _step(extractor.compute, strategy), 0, []
    with exact_float32(), progress_of(what, count, progress) as advance:
        for batch in _first(chunks(images, batch_size), count):
            part = _run(step, strategy, batch, batch_size)
            _check_finite(part, done, what, extractor.name)
            parts.append(part)
            done += len(batch)
            advance(len(batch))
    if done < (count or 1):
        raise MetricError(f"{what}: only {done} images, {count or 'at least 1'} needed; give more, or ask for fewer")
    return Activations(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))  # [N,F], [N,K]


@contextlib.contextmanager
def exact_float32() -> Iterator[None]:
    """Float32 with all its digits: by default GPUs multiply with TF32's 10 bits, and FID's third digit is gone."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@functools.lru_cache(maxsize=4)
def _step(compute: Callable, strategy: tf.distribute.Strategy) -> Callable:
    """The compiled step; kept, so that measuring again and again does not trace the network again and again."""

    @tf.function
    def step(images):  # per replica [n,H,W,C]
        return strategy.run(compute, args=(images,))

    return step


def _first(batches: Iterator[np.ndarray], count: int | None) -> Iterator[np.ndarray]:
    """The batches up to `count` images; reads no further."""
    left = float("inf") if count is None else count
    while left > 0 and (batch := next(batches, None)) is not None:
        yield batch if len(batch) <= left else batch[: int(left)]
        left -= len(batch)


def _run(step: Callable, strategy: tf.distribute.Strategy, batch: np.ndarray, batch_size: int) -> Activations:
    """One batch [n,H,W,C], n <= batch_size, over the replicas -> Activations of n rows."""
    padded = np.zeros((batch_size, *batch.shape[1:]), np.uint8)  # [batch_size,H,W,C]
    padded[: len(batch)] = batch
    slices = padded.reshape(strategy.num_replicas_in_sync, -1, *batch.shape[1:])  # [replicas,n,H,W,C]
    values = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(slices[context.replica_id_in_sync_group])
    )
    return Activations(*(strategy.gather(value, axis=0).numpy()[: len(batch)] for value in step(values)))


def _check_finite(part: Activations, start: int, what: str, name: str) -> None:
    sound = np.logical_and(*(np.isfinite(values).all(axis=1) for values in part))  # [n]
    if not sound.all():
        index = start + int(sound.argmin())
        raise MetricError(f"{what}: {name} gives values that are not finite for image {index}; check the weights' file")
