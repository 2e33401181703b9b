"""Text on pictures, and sheets of pictures with text at their edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pgan_tf.grids import grid

WHITE, INK = 255, 64
LARGEST, SMALLEST = 16, 8  # sizes of letters, in pixels


def strip(text: str, width: int, height: int, channels: int) -> np.ndarray:
    """Text in the middle of a white strip, uint8 [height,width,channels]."""
    size = LARGEST
    while size > SMALLEST and ImageFont.load_default(size).getlength(text) > width - 8:
        size -= 1
    font = ImageFont.load_default(size)
    image = Image.new("L", (width, height), WHITE)
    ImageDraw.Draw(image).text((width / 2, height / 2), text, fill=INK, font=font, anchor="mm")
    return np.asarray(image)[..., None].repeat(channels, axis=2)


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
    """uint8 [H,W,C] with a line of text under it: [H+32,W,C]."""
    return np.concatenate([picture, strip(text, picture.shape[1], 32, picture.shape[2])])


def on_white(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 [H,W,C] in the middle of a white [height,width,C], which is as large or larger."""
    room = np.array([height, width]) - picture.shape[:2]
    before = room // 2
    return np.pad(picture, [*zip(before, room - before, strict=True), (0, 0)], constant_values=WHITE)


def sheet(images: np.ndarray, rows: Sequence[str], columns: Sequence[str] = (), cell: int = 64) -> np.ndarray:
    """uint8 [len(rows)*K,R,R,C], row by row, as one picture with a name left of each row and above each column.

    `columns`: K names, or none.
    """
    count, channels = len(images) // len(rows), images.shape[-1]
    body = grid(images, count, cell)  # [rows*cell,K*cell,C]
    size = body.shape[0] // len(rows)
    names = np.concatenate([strip(name, 112, size, channels) for name in rows])
    body = np.concatenate([names, body], axis=1)
    if not columns:
        return body
    head = [strip("", 112, 32, channels), *(strip(name, size, 32, channels) for name in columns)]
    return np.concatenate([np.concatenate(head, axis=1), body])


def matrix(images: np.ndarray, columns: int, cell: int = 64) -> np.ndarray:
    """uint8 [rows*columns,R,R,C] as one picture whose first row and column are set off by a gap.

    The corner, image 0, is left white.
    """
    images = images.copy()
    images[0] = WHITE
    body = grid(images, columns, cell)
    size = body.shape[1] // columns
    for axis in (0, 1):
        body = np.insert(body, [size] * (size // 8), WHITE, axis=axis)
    return body
