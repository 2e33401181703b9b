"""What a generator is given: latents drawn or read, labels chosen, dimensions named."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from pgan_tf.errors import reason
from pgan_tf.files import new_output
from pgan_tf.inference.errors import GenerateError
from pgan_tf.latents import LATENTS, Purpose, stream
from pgan_tf.option import shown, whole_number

BLOCK = 32  # latents drawn at a time; part of what determines them, so never to be changed


def draw_latents(
    count: int, size: int, seed: int, kind: str = "gaussian", purpose: Purpose = Purpose.GENERATE
) -> np.ndarray:
    """Random latents, float32 [count,size]. Row i depends on the seed and on i only.

    `kind`: a name of LATENTS. `purpose`: draws for different purposes are independent.
    """
    blocks = range(-(-count // BLOCK))
    drawn = [LATENTS[kind]([BLOCK, size], stream(seed, purpose, block)).numpy() for block in blocks]
    return np.concatenate(drawn)[:count]


def read_latents(path: str | os.PathLike, size: int) -> np.ndarray:
    """Latents from a .npy file, float32 [N,size]. GenerateError if they do not fit the network or are not finite."""
    if os.path.exists(path) and not os.path.isfile(path):  # opening a pipe would wait for its other end
        raise GenerateError(f"--latents={path}: not a file; write it with numpy.save")
    try:
        latents = np.load(path, mmap_mode="r", allow_pickle=False)  # takes no memory for what the file does not have
    except FileNotFoundError:
        raise GenerateError(f"--latents={path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, OSError) and error.errno:
            raise GenerateError(f"--latents={path}: cannot be read: {reason(error)}") from None
        raise GenerateError(f"--latents={path}: cannot be read as .npy; write it with numpy.save") from None
    if not isinstance(latents, np.ndarray) or latents.ndim != 2 or not len(latents) or latents.dtype.kind not in "fiu":
        what = f"{latents.dtype} {list(latents.shape)}" if isinstance(latents, np.ndarray) else "an archive"
        raise GenerateError(f"--latents={path}: holds {what}; it must hold numbers [N,{size}]")
    if latents.shape[1] != size:
        length = latents.shape[1]
        raise GenerateError(f"--latents={path}: its rows have {length} numbers; this network's latents {size}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite then
        latents = latents.astype(np.float32)
    check_finite(latents, f"--latents={path}")
    return latents


def check_finite(latents: np.ndarray, where: str) -> None:
    """GenerateError unless all of [N,L] are numbers."""
    if not np.isfinite(latents).all():
        row = int(np.flatnonzero(~np.isfinite(latents).all(axis=1))[0])
        raise GenerateError(f"{where}: row {row} holds numbers that are not finite")


def label_rows(text: str, label_size: int, count: int, seed: int) -> np.ndarray:
    """One-hot labels, float32 [count,label_size]; [count,0] for a network without labels.

    `text`: '' or 'random' = a random class each, which depends on the seed and on the row only; 'all' = one class
    after the other; '3' or '0,1,2' = these, in turn. GenerateError where the network has no such class.
    """
    if not label_size:
        if text:
            raise GenerateError(f"--labels={text}: this network was trained without labels; leave it out")
        return np.zeros((count, 0), np.float32)
    if text in ("", "random"):
        blocks = range(-(-count // BLOCK))
        drawn = [np.random.default_rng([seed, block]).integers(label_size, size=BLOCK) for block in blocks]
        return np.eye(label_size, dtype=np.float32)[np.concatenate(drawn)[:count]]
    classes = np.arange(label_size) if text == "all" else _classes(text, label_size)
    return np.eye(label_size, dtype=np.float32)[np.resize(classes, count)]


def _classes(text: str, label_size: int) -> list[int]:
    known = f"give classes from 0 to {label_size - 1}, as in 0,1,2, or all, or random"
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise GenerateError(f"--labels={shown(text)}: {known}")
    for part in parts:
        if (whole_number(part) or 0) >= label_size or len(part) > 19:
            raise GenerateError(f"--labels={shown(text)}: the network has no class {shown(part)}; {known}")
    return [int(part) for part in parts]


def parse_dims(text: str, size: int) -> list[range]:
    """'1-8,9-16,200' -> sets of latent dimensions, counted from 1 as people do, as ranges counted from 0.

    GenerateError for another notation, or a dimension that the latents [.,size] do not have.
    """
    return [_dims(part.strip(), size, text) for part in text.split(",")]


def _dims(part: str, size: int, text: str) -> range:
    first, dash, last = part.partition("-")
    last = last if dash else first
    begin, end = whole_number(first), whole_number(last)
    if begin is None or end is None:
        raise GenerateError(f"--dims={shown(text)}: write dimensions from 1 to {size}, as in 1-8,9-16 or 5")
    if begin > end >= 1:
        raise GenerateError(f"--dims={shown(text)}: {part} runs backwards; write {end}-{begin}")
    if not 1 <= begin <= end <= size:
        raise GenerateError(f"--dims={shown(text)}: {part} is not within the latents' dimensions, 1 to {size}")
    return range(begin - 1, end)


def save_latents(path: Path, latents: np.ndarray) -> None:
    """Writes float32 [N,L] as .npy; complete or not there at all."""
    with new_output(path) as temporary, open(temporary, "wb") as file:
        np.save(file, latents.astype(np.float32))
