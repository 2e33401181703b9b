"""Pictures as text for a terminal: sixel graphics where it says it has them, else half blocks in 24-bit colours."""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple, TextIO

import numpy as np

from pgan_tf.grids import to_pillow

_ANSWER_SECONDS = 0.5  # over a slow connection; a terminal that knows no such question stays silent
_SIXEL_ATTRIBUTE = b"4"  # in the answer to the question "what are you?" (DEC's Primary Device Attributes)
_CELL = (8, 16)  # pixels of a character where the terminal does not tell
_ROWS_LEFT = 2  # for the prompt and the caption
_UPPER_HALF = "\u2580"


class Screen(NamedTuple):
    """What a terminal can show. least_tile: pixels below which a picture is not to be recognised."""

    encode: Callable[[np.ndarray], str]  # uint8 [H,W,1 or 3] -> text
    width: int  # pixels
    height: int
    least_tile: int


def screen(stream: TextIO, keyboard: TextIO | None = None) -> Screen | None:
    """The screen behind `stream` (stdout); None if it is a file, a pipe, or a terminal without colours.

    `keyboard` (by default stdin): where the terminal's answer comes from. Nothing is asked where that is no terminal.
    """
    if not stream.isatty() or os.environ.get("TERM", "") in ("dumb", "linux"):
        return None
    columns, rows = shutil.get_terminal_size()
    if has_sixel(stream, keyboard or sys.stdin):
        width, height = _pixels(stream) or (columns * _CELL[0], rows * _CELL[1])
        return Screen(sixel, width, height - _ROWS_LEFT * height // rows, least_tile=48)
    try:
        _UPPER_HALF.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return None
    return Screen(half_blocks, columns, 2 * (rows - _ROWS_LEFT), least_tile=16)


def half_blocks(picture: np.ndarray) -> str:
    """uint8 [H,W,1 or 3] -> ceil(H/2) lines of W characters, each an upper half block on a lower one."""
    colours = np.broadcast_to(picture, (*picture.shape[:2], 3))
    lines = []
    for top in range(0, len(colours), 2):
        line = "".join(_block(*pixels) for pixels in colours[top : top + 2].transpose(1, 0, 2).tolist())
        lines.append(f"{line}\x1b[0m\n")
    return "".join(lines)


def sixel(picture: np.ndarray) -> str:
    """uint8 [H,W,1 or 3] -> the picture in 256 colours as DEC sixel graphics (VT340), one pixel to one pixel."""
    image = to_pillow(picture).convert("RGB").quantize(256)
    indices = np.asarray(image)  # [H,W]
    height, width = indices.shape
    palette = np.array(image.getpalette(), int).reshape(-1, 3)
    percent = np.rint(palette / 2.55).astype(int)  # sixel's colours go to 100
    parts = [f'\x1bP0;1q"1;1;{width};{height}']
    parts += ["#{};2;{};{};{}".format(colour, *percent[colour]) for colour in np.unique(indices)]
    parts += [_band(indices[top : top + 6]) for top in range(0, height, 6)]
    return "".join(parts) + "\x1b\\\n"


def has_sixel(stream: TextIO, keyboard: TextIO) -> bool:
    """Asks the terminal; False where there is none, where it does not answer, and on systems without termios."""
    try:
        import termios
        import tty

        before = termios.tcgetattr(keyboard)
    except (ImportError, OSError, ValueError, termios.error):  # Windows; a pipe; a test runner's stdin
        return False
    answer, descriptor = b"", keyboard.fileno()
    try:
        tty.setcbreak(descriptor)  # the answer comes without a line end, and nobody shall see it
        stream.write("\x1b[c")
        stream.flush()
        while not answer.endswith(b"c") and select.select([descriptor], [], [], _ANSWER_SECONDS)[0]:
            answer += os.read(descriptor, 64)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
    match = re.search(rb"\x1b\[\?\d+;([\d;]+)c", answer)  # the first number is the model
    return match is not None and _SIXEL_ATTRIBUTE in match[1].split(b";")


def _block(upper: list[int], lower: list[int] | None = None) -> str:
    background = "49" if lower is None else "48;2;{};{};{}".format(*lower)
    return "\x1b[38;2;{};{};{};{}m{}".format(*upper, background, _UPPER_HALF)


def _band(indices: np.ndarray) -> str:
    """[at most 6, W] palette indices -> each colour's row of columns on top of the others, and a new line."""
    bits = 1 << np.arange(len(indices))[:, None]  # [6,1]
    rows = []
    for colour in np.unique(indices):
        columns = ((indices == colour) * bits).sum(axis=0)  # [W], 0..63
        rows.append(f"#{colour}{''.join(_runs(columns))}")
    return "$".join(rows) + "-"


def _runs(columns: np.ndarray) -> Iterator[str]:
    starts = np.concatenate([[0], np.flatnonzero(np.diff(columns)) + 1])
    lengths = np.diff(np.append(starts, len(columns)))
    for value, length in zip(columns[starts], lengths, strict=True):
        character = chr(63 + value)
        yield f"!{length}{character}" if length > 3 else character * int(length)


def _pixels(stream: TextIO) -> tuple[int, int] | None:
    """Width and height of the terminal's window; None where it does not tell."""
    import fcntl
    import struct
    import termios

    try:
        _, _, width, height = struct.unpack("4H", fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        return None
    return (width, height) if width and height else None
