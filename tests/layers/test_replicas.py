"""Two devices are one: outputs, derivatives of both orders and what is kept, of all norms and of spectral weights."""

import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def found(fresh_process):
    return json.loads(fresh_process(HERE / "norms_on_devices.py"))


@pytest.mark.parametrize("name", ["pixel", "batch", "layer", "spectral"])
def test_two_devices_are_one(found, name):
    assert found[name]["difference"] < 1e-9
    assert found[name]["kept"] < 1e-12
    assert found[name]["agree"]


def test_what_cannot_be_compiled_is_refused_with_the_way_out(found):
    assert "statistics over several devices cannot be compiled: leave out --jit" in found["refusal"]
