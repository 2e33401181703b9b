"""The example of two lines: its distances by their closed forms, and what they teach a generator."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

PATH = Path(__file__).resolve().parents[2] / "examples" / "parallel_lines.py"


@pytest.fixture(scope="module")
def lines():
    spec = importlib.util.spec_from_file_location("parallel_lines", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "real", "fake", "expected"),
    [
        ("wasserstein", [0.5, 0.7], [0.1, 0.1], 0.5),
        ("jensen_shannon", [0.0, 0.0], [0.0, 0.0], 0.0),  # D = 1/2: nothing told apart
        ("jensen_shannon", [60.0, 60.0], [-60.0, -60.0], np.log(2)),
        ("kullback_leibler", [1.0, 1.0], [1.0, 1.0], 0.0),  # T = 1 + log of equal densities
        ("kullback_leibler", [1e4, 1e4], [-1e4, -1e4], 10.0),  # the bound
    ],
)
def test_a_distance_of_known_scores(name, real, fake, expected, lines):
    value = getattr(lines, name)(tf.constant([real]), tf.constant([fake]))
    np.testing.assert_allclose(value, [expected], atol=1e-3)


def test_only_the_wasserstein_distance_leads_to_the_data(lines, monkeypatch):
    for name, steps in {"FIRST_STEPS": 500, "BETWEEN_STEPS": 5, "GENERATOR_STEPS": 15}.items():
        monkeypatch.setattr(lines, name, steps)
    ends = {distance.title: lines.learnt(distance)[-1] for distance in lines.DISTANCES}
    assert (ends["Wasserstein"] < 0.65).all()
    assert (np.abs(ends["Jensen-Shannon"] - 0.8) < 0.03).all()
    assert (np.abs(ends["Kullback-Leibler"] - 0.8) < 0.1).all()


def test_discriminators_measure_the_distances(lines, monkeypatch):
    monkeypatch.setattr(lines, "FIRST_STEPS", 250)
    monkeypatch.setattr(lines, "THETAS", np.array([-0.5, 0.25, 1.0], np.float32))
    wasserstein, jensen_shannon, _ = lines.DISTANCES
    np.testing.assert_allclose(lines.measured(wasserstein), [0.5, 0.25, 1.0], atol=0.15)
    np.testing.assert_allclose(lines.measured(jensen_shannon), np.full(3, np.log(2)), atol=0.05)
