"""Shared by the tests of the data half: the golden data sets, and small sets to damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgan_tf.data import DatasetWriter

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(autouse=True)
def light_workers(monkeypatch):
    """Worker processes import no Keras, as under dataset_tool.py."""
    monkeypatch.setenv("PGAN_TF_NO_KERAS", "1")


@pytest.fixture
def nvidia() -> dict[str, np.ndarray]:
    """What NVIDIA's tool was given and what it stored, [N,C,H,W]; see golden/README."""
    with np.load(GOLDEN / "nv_dataset.npz") as file:
        return dict(file)


@pytest.fixture
def golden_folder() -> Path:
    return GOLDEN


@pytest.fixture
def small_set(tmp_path) -> Path:
    """Ten 16x16 RGB pictures with labels of three classes, in tmp_path/small."""
    folder = tmp_path / "small"
    rng = np.random.RandomState(1)
    with DatasetWriter(folder, 16, 3) as writer:
        for _ in range(10):
            writer.add(rng.randint(0, 256, (16, 16, 3)).astype(np.uint8))
        writer.add_labels(np.eye(3)[np.arange(10) % 3])
    return folder
