"""Trained generators, and pictures of what they make."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgan_tf.api.loading import in_one_line, load_tensorflow
from pgan_tf.api.values import number, whole
from pgan_tf.mirror import fetched
from pgan_tf.option import ConfigError
from pgan_tf.places import is_stored, place

if TYPE_CHECKING:
    from PIL import Image

    from pgan_tf.inference.drawing import Drawing
    from pgan_tf.inference.load import Loaded
    from pgan_tf.networks.base import GeneratorNetwork

    Label = int | str | Sequence[int] | None

COLUMNS = 12  # of a grid, where nobody says


class Generator:
    """A trained generator.

    Attributes:
        network: The Keras model: (latents [N, L], labels [N, K]) -> images [N, R, R, C] in -1..1.
        path: The file or checkpoint that it came from.
    """

    def __init__(self, loaded: Loaded, path: Path | None = None):
        """path: what it was loaded from, where that is a copy."""
        self.network: GeneratorNetwork = loaded.network
        self.path: Path = path or loaded.path
        self._loaded, self._samplers = loaded, {}

    @classmethod
    @in_one_line
    def open(cls, path: str | os.PathLike) -> Generator:
        """The averaged generator of a run's folder, of a .keras file, or of the folder of an imported network.

        Nothing in the file is executed. Raises UserError where there is none, or it cannot be read.
        """
        load_tensorflow()
        from pgan_tf.inference.load import load_generator

        given = place(os.path.expanduser(path))
        with fetched(given) as here:
            return cls(load_generator(here, kind=""), given if is_stored(given) else None)

    def __repr__(self) -> str:
        return f"Generator({str(self.path)!r}, latents of {self.latent_size}, {self.classes} classes)"

    @property
    def latent_size(self) -> int:
        """Components of a latent."""
        return self.network.latent_size

    @property
    def classes(self) -> int:
        """How many labels it knows; 0 for a network without labels."""
        return self.network.label_size

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it makes: (R, R, C) of an image, (2,) of a point in the plane."""
        return tuple(self.network.sample_shape)

    @in_one_line
    def sample(self, n: int, seed: int = 0, label: Label = None, *, truncation: float = 1.0) -> np.ndarray:
        """Random pictures. The same seed gives the same ones, and picture i is the same however many are asked for.

        Args:
            n: How many.
            seed: Every random number follows from it.
            label: A class, or several that take turns, or "all"; None = a random one each.
            truncation: Below 1: more typical, less varied; for progressive networks of images.

        Returns:
            uint8 [n, R, R, C]; of a network of points in the plane float32 [n, 2].

        Raises:
            UserError: A class that it has not learned, a number out of its bounds.
        """
        n, drawing = self._some("samples", n), self._drawing(seed, label, truncation)
        return self._made(drawing, drawing.latents(n), drawing.labels(n))

    @in_one_line
    def latents(self, n: int, seed: int = 0) -> np.ndarray:
        """The latents of `sample(n, seed)`, float32 [n, L]."""
        return self._drawing(seed).latents(self._some("samples", n))

    @in_one_line
    def draw(self, latents: np.ndarray, label: Label = None, *, truncation: float = 1.0) -> np.ndarray:
        """What it makes of latents [n, L]: as `sample`, whose labels and truncation it has."""
        from pgan_tf.inference.errors import GenerateError
        from pgan_tf.inference.inputs import check_finite

        rows = np.asarray(latents, np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.latent_size or not len(rows):
            raise GenerateError(f"latents {list(rows.shape)}: this network takes [n, {self.latent_size}]")
        check_finite(rows, "latents")
        drawing = self._drawing(0, label, truncation)
        return self._made(drawing, rows, drawing.labels(len(rows)))

    @in_one_line
    def interpolate(self, seeds: Iterable[int], frames: int, label: Label = None) -> np.ndarray:
        """The frames of a closed way from the picture of one seed to that of the next, and back to the first.

        It does not leave the distribution of the latents: of normal ones it goes along great circles.

        Args:
            seeds: Two or more.
            frames: How many in all.
            label: The class of all frames; None = one by the first seed.

        Returns:
            uint8 [frames, R, R, C], or points float32 [frames, 2].
        """
        from pgan_tf.inference.errors import GenerateError
        from pgan_tf.inference.pictures import moving

        seeds, frames = [whole("seed", seed, 0) for seed in seeds], self._some("frames", frames)
        if len(seeds) < 2:
            raise GenerateError(f"seeds={seeds}: give two seeds or more, as in [1, 2, 3]")
        drawing = self._drawing(seeds[0], label)
        latents = moving.seed_walk(drawing, seeds, frames, 1)[:, 0]  # [frames,L]
        return self._made(drawing, latents, np.repeat(drawing.labels(1), frames, axis=0))

    def _some(self, what: str, n: int) -> int:
        """n, if it is a number of `what`, and there is room for so many."""
        n = whole(what, n, 1)
        for shape, kind in ((self.shape, np.uint8), ((self.latent_size,), np.float32)):
            np.empty((n, *shape), kind)  # MemoryError here, and not after hours
        return n

    def _drawing(self, seed: int, label: Label = None, truncation: float = 1.0) -> Drawing:
        from pgan_tf.inference.drawing import Drawing

        truncation = number("truncation", truncation, 0, 1)
        drawing = Drawing(self._loaded, whole("seed", seed, 0), truncation, _label_text(label))
        drawing.sampler = self._samplers.setdefault(truncation, drawing.sampler)  # which is traced once
        return drawing

    def _made(self, drawing: Drawing, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        make = drawing.pictures if len(self.shape) == 3 else drawing.sampler.points
        return make(latents, labels)


def _label_text(label: Label) -> str:
    """A label as --labels has it. ConfigError for none of its kinds."""
    if label is None or isinstance(label, str):
        return label or ""
    label = label.tolist() if isinstance(label, (np.ndarray, np.generic)) else label
    if not isinstance(label, Iterable):
        return str(whole("label", label, 0))
    classes = [str(whole("label", one, 0)) for one in label]
    if not classes:
        raise ConfigError("label=[]: names no class; give some, or None for random ones")
    return ",".join(classes)


@in_one_line
def image_grid(images: np.ndarray, columns: int = 0) -> Image.Image:
    """Images in rows and columns, as one picture that notebooks show; small ones are enlarged by whole pixels.

    Args:
        images: uint8 [N, R, R, C], C = 1 or 3.
        columns: How many in a row; 0 = up to 12.
    """
    from pgan_tf import grids

    images = np.asarray(images)
    square = images.ndim == 4 and images.shape[1] == images.shape[2]
    if images.dtype != np.uint8 or not square or not images.size or images.shape[-1] not in (1, 3):
        raise ConfigError(f"images: {images.dtype} {list(images.shape)}; they must be uint8 [N, R, R, 1 or 3]")
    columns = whole("columns", columns, 0) or min(len(images), COLUMNS)
    picture = grids.grid(images, columns, grids.cell_size(images.shape[1]))
    return grids.to_pillow(picture)
