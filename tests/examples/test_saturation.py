"""The example of saturation: a gradient by differences, what vanishes, and what holds discriminators."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "examples" / "saturation.py"


@pytest.fixture(scope="module")
def saturation():
    spec = importlib.util.spec_from_file_location("saturation", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def short(saturation, monkeypatch):
    for name, value in {"SEEDS": 2, "WIDTH": 16, "POINTS": 32, "JUDGED": 64, "AT": np.array([1, 300])}.items():
        monkeypatch.setattr(saturation, name, value)
    return {row.title: row for row in saturation.ROWS}


def test_minimax_vanishes_where_fakes_lie_apart_and_the_others_do_not(saturation, short):
    last = {}
    for title in ("minimax", "non-saturating", "WGAN, penalty"):
        norms, told = saturation.followed(short[title], spread=0.05)
        assert norms.shape == told.shape == (2, 2)
        last[title] = norms[-1] / norms[0]
        assert (told[-1] > 0.95).all() or title.startswith("WGAN")
    assert (last["minimax"] < 0.3 * last["non-saturating"]).all()
    assert (last["WGAN, penalty"] > 0.1).all()


def test_generators_spread_as_they_are_asked_to_and_stand_still(saturation, short):
    game = saturation.Game(short["WGAN, clipped"], spread=0.3)
    before = [variable.numpy() for variable in game.generator.variables]
    game.improve(np.int32(3))
    for old, variable in zip(before, game.generator.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    assert max(np.abs(v.numpy()).max() for v in game.discriminator.variables) <= saturation.CLIP
    real, fake = game.samples(2000)
    assert np.std(fake) == pytest.approx(0.3, rel=0.1)
    assert np.std(real) == pytest.approx(2**0.5, rel=0.05)
