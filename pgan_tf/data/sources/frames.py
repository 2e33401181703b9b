"""Every frame of every picture file as an item of its own."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.pictures.frames import frames_of
from pgan_tf.data.pictures.opening import File
from pgan_tf.progress import track

FRAMES = ("first", "all")


class Frame(NamedTuple):
    """item: the file's. number: of the frame in it, from 0. alone: the file has no other."""

    item: Any
    number: int
    alone: bool


class FrameList(Sequence):
    """Frames of files one after another, in 12 bytes each."""

    def __init__(self, items: Sequence[Any]):
        self._items = items
        self.owners = array("q")  # places in `items`
        self._numbers = array("i")

    def add(self, owner: int, numbers: Sequence[int]) -> None:
        self.owners.extend([owner] * len(numbers))
        self._numbers.extend(numbers)

    def __len__(self) -> int:
        return len(self.owners)

    def __getitem__(self, index: int) -> Frame:
        owner = self.owners[index]
        neighbours = [self.owners[i] for i in (index - 1, index + 1) if 0 <= i < len(self)]
        return Frame(self._items[owner], self._numbers[index], owner not in neighbours)


def all_frames(items: Sequence[Any], open_file: Callable[[Any], File], workers: int, max_pixels: int) -> FrameList:
    """Looks into every file for its frames, with `workers` processes."""
    frames = FrameList(items)
    counted = ordered_map(partial(_frames, open_file=open_file, max_pixels=max_pixels), items, workers)
    for owner, numbers in enumerate(track(counted, len(items), "counting frames")):
        frames.add(owner, numbers)
    return frames


def open_frame(frame: Frame, open_file: Callable[[Any], File]) -> File:
    return open_file(frame.item)


def frame_bytes(frame: Frame, in_memory: Callable[[Any], int]) -> int:
    return in_memory(frame.item)


def frame_name(frame: Frame, name: Callable[[Any], str]) -> str:
    """a.gif#2 is the second of a.gif."""
    return name(frame.item) if frame.alone else f"{name(frame.item)}#{frame.number + 1}"


def _frames(item: Any, open_file: Callable[[Any], File], max_pixels: int) -> Sequence[int]:
    """Runs in a worker."""
    try:
        return frames_of(open_file(item), max_pixels)
    except Exception:  # of a member of an archive, say; it is reported when it is loaded
        return range(1)
