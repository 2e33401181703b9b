"""Which frames a file has: pages of TIFF, pictures of an animation, views of MPO."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

from PIL import Image

from pgan_tf.data.pictures import png, tiff
from pgan_tf.data.pictures.opening import File, kind_of, open_stream, stream_of, trusting_our_limit

MOST_FRAMES = 2**16  # of a file; few bytes can promise many
ONE: Sequence[int] = range(1)


def frames_of(file: File, max_pixels: int) -> Sequence[int]:
    """The numbers of a file's frames, from 0. Of one that cannot be read there is one, so that it is reported."""
    with suppress(Exception), stream_of(file) as stream, trusting_our_limit():  # decoders raise anything
        if kind_of(stream) == "TIFF":
            return tiff.whole_pages(stream) or ONE
        return frames_in(open_stream(stream, max_pixels), stream)
    return ONE


def frames_in(image: Image.Image, stream: BinaryIO) -> Sequence[int]:
    """Those of an open picture that is not loaded yet."""
    if getattr(image, "n_frames", 1) <= 1:
        return ONE
    if image.format == "PNG":  # which only claims how many
        claimed = sum(chunk.name == b"fcTL" for chunk in png.chunks(stream)) + image.default_image
        return range(min(max(1, claimed), image.n_frames, MOST_FRAMES))
    return range(min(image.n_frames, MOST_FRAMES))
