"""The parameters over time are those of the thesis' figure 27."""

import itertools
import json
from pathlib import Path

import pytest
import reference

from pgan_tf.experiments import growing
from pgan_tf.experiments.suite_file import read_flagfile, read_suite

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads((reference.SMALL / "latent_growing.json").read_text())["parameters"]
KEYS = {
    "bgan": ["bGAN/res128_z256"],
    "lggan": [f"lgGAN/res{res}_z256" for res in (4, 8, 16, 32, 64, 128)],
    "bggan": [f"bgGAN/res128_z{z}" for z in (8, 16, 32, 64, 128, 256)],
    "clggan": [f"clgGAN/res{res}_z{2 * res}" for res in (4, 8, 16, 32, 64, 128)],
}


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)  # flagfiles name each other from there


@pytest.mark.parametrize("name", KEYS)
def test_parameters_over_time(name):
    """In each fade those with the layers that fade out, after it without; 44 epochs without a gap."""
    found = growing.parameters(read_flagfile(Path(f"configs/latent/{name}.flags")), 128, 3)
    expected = [sum(TABLE[KEYS[name][0]][:2])]
    for key in KEYS[name][1:]:
        g, d, *fading = TABLE[key]
        expected += [g + d, g + d - sum(fading)]
    assert [count for *_, count in found] == expected
    assert (found[0][0], found[-1][1]) == (0, 8914)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))


def test_only_rows_that_grow_differently_are_compared(tmp_path, monkeypatch):
    (latent,) = read_suite(Path("configs/cpu/latent.toml")).comparisons
    (columbia,) = read_suite(Path("configs/cpu/columbia.toml")).comparisons
    monkeypatch.setattr(growing.Path, "exists", lambda path: True)
    assert growing.grows_differently(latent)
    assert not growing.grows_differently(columbia)
    monkeypatch.setattr(growing.Path, "exists", lambda path: False)
    assert not growing.grows_differently(latent)
