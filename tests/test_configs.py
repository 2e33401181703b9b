"""The flagfiles under configs/: each can be read, and says what it claims to."""

from pathlib import Path

import pytest

from pgan_tf.experiments.suite_file import read_flagfile, read_suite
from pgan_tf.networks.progressive import feature_maps
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


GROW = {"bgan": "none", "lggan": "layers", "bggan": "latent", "cggan": "latent,channels",
        "clggan": "layers,latent,channels"}  # fmt: skip


@pytest.mark.parametrize("name", GROW)
@pytest.mark.parametrize("prefix", ["latent/", "cpu/latent_"])
def test_the_five_models_of_latent_space_growing_differ_by_their_ladders(prefix, name):
    """And end with latents and feature maps of 8 at the first level, and 8 maps at the last."""
    config, base = (read_flagfile(Path(f"configs/{prefix}{model}.flags")) for model in (name, "bgan"))
    times = {option: getattr(config.growth, option) for option in ("lod_training_kimg", "lod_transition_kimg")}
    assert config == base.replace(desc=config.run.desc, grow=GROW[name], **times)
    resolution = 32 if "cpu" in prefix else 128
    schedule = Schedule(config.growth, resolution, latent_size=config.model.latent_components)
    first, last = schedule.sizes[0], schedule.at(round(1000 * config.growth.total_kimg)).stage
    assert (last.size, last.fading) == (schedule.sizes[-1], False)
    assert first.latent_size == (8 if "latent" in GROW[name] else 0)
    assert config.model.fmap_max // first.narrower == (8 if "channels" in GROW[name] else config.model.fmap_max)
    assert feature_maps(resolution, config.model.fmap_base, 1.0, config.model.fmap_max) == 8


@pytest.mark.parametrize("name", GROW)
def test_the_models_as_coded_have_the_published_oddities_alone(name):
    described, coded = (read_flagfile(Path(f"configs/latent/{name}{end}.flags")) for end in ("", "_as_coded"))
    changed = {option for option, value in coded.changes().items() if described.values()[option] != value}
    assert changed - {"mbstd_group_size", "lod_training_kimg", "lod_training_kimg_dict", "lod_transition_kimg"} == {
        "desc", "initializer", "widening"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["latent", "latent_time", "latent_progan"])
def test_the_suites_of_growing_latents(name):
    """At equal time the rows have budgets, and schedules, of their own; all end whole."""
    (comparison,) = read_suite(Path(f"configs/cpu/{name}.toml")).comparisons
    totals = {row.config.growth.total_kimg for row in comparison.rows}
    assert (len(totals) == 1) == (name == "latent")
    assert len(comparison.seeds) >= 3
    for row in comparison.rows:
        growth = row.config.growth
        schedule = Schedule(growth, 32, latent_size=row.config.model.latent_components)
        assert not schedule.at(round(1000 * growth.total_kimg)).stage.fading


def test_the_planar_networks_of_growing_latents_see_as_much_with_one_as_with_two():
    rows = read_suite(Path("configs/cpu/latent_planar.toml")).comparisons[0].rows
    fast, too_fast, tuned, grown = (row.config for row in rows)
    assert fast == tuned.replace(desc=fast.run.desc, g_lrate_base=5.0, d_lrate_base=5.0, nan="skip")
    assert too_fast == tuned.replace(desc=too_fast.run.desc, g_lrate_base=0.05, d_lrate_base=0.05)
    schedule = Schedule(grown.growth, 8, latent_size=2)
    assert [(phase.stage.size.latent_size, phase.end - phase.start) for phase in schedule.phases()] == [
        (1, 960), (2, 960)
    ]  # fmt: skip


def test_the_suite_has_the_eight_described_rows():
    suite = read_suite(Path("configs/cpu/columbia.toml"))
    described = ["baseline", *(name for name in ROWS if not name.endswith(("_as_coded", "_noise")))]
    (comparison,) = suite.comparisons
    assert [row.name for row in comparison.rows] == described
    assert len(comparison.seeds) >= 3
