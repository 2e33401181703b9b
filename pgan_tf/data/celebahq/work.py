"""Finished pictures beside an unfinished data set, so that a run that was killed goes on where it was."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pgan_tf.data.celebahq.deltas import picture_md5
from pgan_tf.data.pictures.opening import open_picture
from pgan_tf.files import new_file


class WorkFolder:
    """Pictures of one resolution as PNG files, each under its name only when it is complete, each with its md5.

    A name tells what the picture is, so that another run, of other files or another resolution, never takes it for its
    own. Picklable: worker processes write into it.
    """

    def __init__(self, out: str | os.PathLike, resolution: int):
        """Of the data set `out`; nothing is made yet."""
        path = Path(out).resolve()
        self.folder = path.with_name(f".{path.name}.celebahq-work")
        self.resolution = resolution

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def has(self, index: int, final_md5: str) -> bool:
        """Whether the picture seems to be there; only `load` looks into the file."""
        return self._path(index, final_md5).exists()

    def load(self, index: int, final_md5: str) -> np.ndarray | None:
        """uint8 [R,R,3]; None if it is not there or damaged."""
        try:
            with open_picture(self._path(index, final_md5)) as image:
                pixels, md5 = np.asarray(image), image.text.get("md5")
        except Exception:  # Pillow raises anything for a damaged file
            return None
        wanted = (self.resolution, self.resolution, 3)
        return pixels if pixels.shape == wanted and md5 == picture_md5(pixels) else None

    def save(self, index: int, final_md5: str, pixels: np.ndarray) -> None:
        """Keeps uint8 [R,R,3]. If that fails, the data set can still be written; only a killed run would miss it."""
        info = PngInfo()
        info.add_text("md5", picture_md5(pixels))
        with suppress(OSError), new_file(self._path(index, final_md5), settled=False) as temporary:
            Image.fromarray(pixels).save(temporary, "PNG", pnginfo=info, compress_level=1)

    def _path(self, index: int, final_md5: str) -> Path:
        return self.folder / f"{index:05d}-{final_md5}-{self.resolution}.png"
