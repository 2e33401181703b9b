"""Pictures of points: truncation and principal directions between a generator's first layer and all others."""

from __future__ import annotations

import functools

import numpy as np

from pgan_tf.explore.engine import Engine
from pgan_tf.explore.points import DIRECTIONS, Points, draw
from pgan_tf.grids import to_uint8
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import label_rows
from pgan_tf.inference.truncation import DRAWS, central_latents, means


class Painter:
    """An engine, and what is worked out of it once: the mean of each label, the principal directions."""

    def __init__(self, engine: Engine):
        self.engine = engine

    def warm_up(self) -> None:
        """Compiles, and works out what is worked out once, so that the first click is answered as soon as the next."""
        at = draw(self.engine, 0, "", 1)
        self.pictures(at._replace(shifts=np.ones_like(at.shifts)), 0.5)

    def pictures(self, points: Points, truncation: float = 1.0) -> np.ndarray:
        """uint8 [N,R,R,C]. `truncation`: 1 = none, 0 = the average picture of the label; see inference.truncation."""
        if not 0 <= truncation <= 1:
            raise GenerateError(f"truncation {truncation:g}: must be from 0, the average picture, to 1, none")
        if not self.engine.parted:
            return to_uint8(self.engine.whole(points.latents, points.labels))
        x = self.engine.first(points.latents, points.labels)  # [N,..]
        if truncation < 1:
            x = x + (truncation - 1) * (x - self._centres(points.labels))
        if points.shifts.any():
            x = x + np.tensordot(points.shifts, self.directions, 1)
        return to_uint8(self.engine.rest(x))

    @functools.cached_property
    def centres(self) -> np.ndarray:
        """The mean of what the first layer makes, for each class: float32 [K,..], [1,..] without labels."""
        rows = np.eye(max(1, self.engine.label_size), self.engine.label_size, dtype=np.float32)  # [K,K]
        return means(self.engine.first, self._latents(), rows)

    def _centres(self, labels: np.ndarray) -> np.ndarray:
        """[N,K] -> [N,..]; of labels between classes the same mixture."""
        return np.tensordot(labels, self.centres, 1) if self.engine.label_size else self.centres

    @functools.cached_property
    def directions(self) -> np.ndarray:
        """The principal directions of what the first layer makes within a class, one deviation long: [DIRECTIONS,..].

        As in GANSpace (Härkönen et al. 2020), section 2.2, for a network without intermediate latents. The sign is that
        of the largest number.
        """
        labels = label_rows("", self.engine.label_size, DRAWS, 0)
        x = self.engine.first(self._latents(), labels)  # [DRAWS,..]
        rows = (x - self._centres(labels)).reshape(DRAWS, -1).astype(np.float64)  # [DRAWS,F]
        _, mixtures = np.linalg.eigh(rows @ rows.T / DRAWS)  # ascending
        # A direction is mixtures.T @ rows, of length sqrt(DRAWS * variance): so divided it is a deviation long.
        found = mixtures[:, ::-1][:, :DIRECTIONS].T @ rows / np.sqrt(DRAWS)  # [DIRECTIONS,F]
        signs = np.sign(found[np.arange(len(found)), np.abs(found).argmax(axis=1)])
        return (found * signs[:, None]).reshape(-1, *x.shape[1:]).astype(np.float32)

    def _latents(self) -> np.ndarray:
        return central_latents(self.engine.latent_size, self.engine.kind)
