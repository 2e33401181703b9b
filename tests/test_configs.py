"""The flagfiles under configs/: each can be read, and says what it claims to."""

from pathlib import Path

import pytest

from pgan_tf.experiments.suite_file import read_flagfile, read_suite
from pgan_tf.schedule import Schedule

ROOT = Path(__file__).resolve().parents[1]
FLAGFILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.flags"))
# The rows of the Columbia report's table 1, and what each changes in its baseline.
ROWS = {
    "resblock_g": {"g_block": "residual"},
    "resblock_d": {"d_block": "residual"},
    "rr": {"regularizer": "repelling"},
    "rr_resblock_g": {"regularizer": "repelling", "g_block": "residual"},
    "rr_resblock_gd": {"regularizer": "repelling", "g_block": "residual", "d_block": "residual"},
    "lsgan": {"loss": "lsgan", "penalty": "none", "wgan_epsilon": 0.0},
    "moments": {"minibatch_statistics": "moments"},
    "lsgan_noise": {"loss": "lsgan", "penalty": "none", "wgan_epsilon": 0.0, "d_noise": 0.2},
    "rr_as_coded": {"regularizer": "repelling_as_coded"},
    "lsgan_as_coded": {"loss": "lsgan_as_coded", "penalty": "none", "wgan_epsilon": 0.0},
    "moments_as_coded": {"minibatch_statistics": "moments_as_coded"},
}


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)  # flagfiles name each other from there


@pytest.mark.parametrize("flagfile", FLAGFILES)
def test_every_flagfile_can_be_read_and_names_its_command(flagfile):
    config = read_flagfile(Path(flagfile))
    assert config.data.dataset
    assert config.run.desc
    assert f"python train.py --flagfile={flagfile}" in Path(flagfile).read_text()


@pytest.mark.parametrize("folder", ["configs", "configs/cpu"])
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_its_baseline_but_for_what_it_is_named_after(folder, name):
    coded = folder == "configs" and name.endswith("_as_coded")
    base = read_flagfile(Path(folder, "baseline_as_coded.flags" if coded else "baseline.flags"))
    assert read_flagfile(Path(folder, f"{name}.flags")) == base.replace(desc=name, **ROWS[name])


def test_the_described_baseline_reaches_128_within_the_reports_budget():
    config = read_flagfile(Path("configs/baseline.flags"))
    assert config.growth.total_kimg == 1462
    now = Schedule(config.growth, 128).at(1462_000)
    assert (now.stage.resolution, now.stage.fading) == (128, False)


def test_the_published_schedule_gives_the_image_counts_of_the_reports_figures():
    """Its figures 4 to 11 and its table 1 are at ticks of this schedule; the table's networks still make 8x8."""
    config = read_flagfile(Path("configs/baseline_as_coded.flags"))
    schedule = Schedule(config.growth, 128)
    images, start, ticks = 0, 0, {}
    while images < 3_200_000:
        now = schedule.at(images)
        images += schedule.block_images(now.stage.resolution)
        if images >= start + 1000 * now.tick_kimg:
            start, ticks[images // 1000] = images, now.stage.resolution
    assert {480, 901, 1462, 2104, 2705, 2946, 3146} <= ticks.keys()
    assert [ticks[kimg] for kimg in (480, 901, 1462, 2104, 2705, 2946, 3146)] == [4, 8, 8, 16, 16, 16, 32]


def test_the_suite_has_the_eight_described_rows():
    suite = read_suite(Path("configs/cpu/columbia.toml"))
    described = ["baseline", *(name for name in ROWS if not name.endswith(("_as_coded", "_noise")))]
    (comparison,) = suite.comparisons
    assert [row.name for row in comparison.rows] == described
    assert len(comparison.seeds) >= 3
