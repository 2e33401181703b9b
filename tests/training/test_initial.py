"""--init_from: what a run takes over, from whom, and what it refuses."""

import shutil

import numpy as np
import nv_pickles
import pytest
from absl.testing import flagsaver

from pgan_tf.config import Config, ConfigError, ScheduleOptions, network_options
from pgan_tf.data import DatasetWriter, identity
from pgan_tf.data.samples import open_samples
from pgan_tf.interop import nvidia
from pgan_tf.programs import train
from pgan_tf.schedule import Schedule
from pgan_tf.stages import layer_stage
from pgan_tf.training import checkpoint, initial, launch, loop, rundir
from pgan_tf.training.begin import Asked
from pgan_tf.training.plan import make_plan
from pgan_tf.training.state import StageState

# Those of nv_pickles.TINY, with two labels.
MODEL = {"fmap_base": 32, "fmap_max": 8}
LABELS = 2
SCHEDULE = Schedule(ScheduleOptions(lod_initial_resolution=8), 8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("data") / "set", np.random.default_rng(0)
    with DatasetWriter(folder, resolution=8, channels=3) as writer:
        for _ in range(16):
            writer.add(random.integers(0, 256, (8, 8, 3), np.uint8))
        writer.add_labels(np.eye(LABELS, dtype=np.float32)[random.integers(LABELS, size=16)])
    return folder


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """{lod: the folder of an imported network}."""
    folder = tmp_path_factory.mktemp("imported")
    for lod in (0.0, 0.25, 1.0):
        path = folder / "network.pkl"
        path.write_bytes(nv_pickles.network_file(nv_pickles.tiny(lod, label_size=LABELS)))
        nvidia.import_nvidia(path, folder / f"lod{lod}")
    return {lod: folder / f"lod{lod}" for lod in (0.0, 0.25, 1.0)}


@pytest.fixture(scope="module")
def config(dataset, tmp_path_factory):
    return Config.from_values(
        {
            **MODEL, "dataset": str(dataset), "result_dir": str(tmp_path_factory.mktemp("results")),
            "max_label_size": -1, "lod_initial_resolution": 8, "minibatch_base": 4, "minibatch_repeats": 1,
            "tick_kimg_base": 0.008, "tick_kimg_dict": {}, "total_kimg": 0.008, "grid_size": "2x2",
            "g_lrate_base": 1e-9, "d_lrate_base": 1e-9,
        }
    )  # fmt: skip


def state_of(config, stage):
    return StageState(stage, config, 3, LABELS)


def weights(network) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in network.parameters_by_name().items()}


def assert_taken(new, old, fresh=()):
    """All of new's parameters are old's, but for the layers named in `fresh`."""
    source = weights(old)
    for name, value in weights(new).items():
        if name.rsplit("/", 1)[0] in fresh:
            assert name not in source
        else:
            np.testing.assert_allclose(value, source[name], atol=1e-5, err_msg=name)


# ---- from whom -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lod", [0.0, 0.25, 1.0])
def test_an_imported_network_at_any_lod(lod, imported, config):
    """At lod 1 the file shows 4x4: what is above is new."""
    initial.check(config.replace(init_from=str(imported[lod])), 3, LABELS, SCHEDULE)
    trained, state = initial.load(imported[lod]), state_of(config, layer_stage(8))
    lines = initial.take_over(trained, state)
    blocks = {"8x8_Conv0_up", "8x8_Conv1", "ToRGB_8x8"} if lod == 1 else set()
    assert_taken(state.generator, trained.generator, blocks)
    assert_taken(state.ema, trained.ema, blocks)
    assert_taken(state.discriminator, trained.discriminator,
                 {"8x8_Conv0", "8x8_Conv1_down", "FromRGB_8x8"} if lod == 1 else set())  # fmt: skip
    assert np.abs(weights(state.ema)["4x4_Conv/weight"] - weights(state.generator)["4x4_Conv/weight"]).max() > 0.1
    new = "8x8_Conv0_up, 8x8_Conv1, ToRGB_8x8" if lod == 1 else "none"
    left = {0.0: "none", 0.25: "ToRGB_4x4", 1.0: "ToRGB_4x4"}[lod]
    assert lines[1].endswith(f"new: {new}; left behind: {left}")
    assert len(lines) == 3


def test_a_run_that_begins_lower_says_what_it_leaves_behind(imported, config):
    state = state_of(config, layer_stage(4))
    lines = initial.take_over(initial.load(imported[0.0]), state)
    assert "generator: 2 of 3 layers taken over; new: ToRGB_4x4; left behind: 8x8_Conv0_up, 8x8_Conv1" in lines[1]
    assert "discriminator: 3 of 4 layers taken over; new: FromRGB_4x4" in lines[2]
    assert "the run begins at 4 pixels" in lines[3]
    assert "--lod_initial_resolution=8" in lines[3]
    np.testing.assert_array_equal(weights(state.ema)["ToRGB_4x4/weight"], weights(state.generator)["ToRGB_4x4/weight"])


def test_a_single_generator(imported, config):
    """Generator and average are the same, the discriminator is new, and the log says so."""
    file, state, untouched = imported[0.25] / "generator_ema.keras", *(state_of(config, layer_stage(8)) for _ in "12")
    initial.check(config.replace(init_from=str(file)), 3, LABELS, SCHEDULE)
    lines = initial.take_over(initial.load(file), state)
    assert "discriminator: new" in lines[2]
    assert_taken(state.generator, initial.load(file).generator)
    assert_taken(state.ema, initial.load(file).generator)
    assert_taken(state.discriminator, untouched.discriminator)


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_any_precision_takes_over(precision, imported, config):
    state = state_of(config.replace(precision=precision), layer_stage(8))
    initial.take_over(initial.load(imported[0.0]), state)
    assert_taken(state.generator, initial.load(imported[0.0]).generator)


@pytest.fixture(scope="module")
def run(config):
    """A finished run of other seeds than the default."""
    config = config.replace(seed=7)
    folder = rundir.create(config, "set", "")
    loop.Run(config, make_plan(config), folder).train()
    return folder


def test_a_run_starts_where_another_one_ended(run, config):
    """The newest checkpoint: generator, its average and the discriminator. (The learning rates are next to nothing.)"""
    trained = initial.load(run)
    assert trained.where == checkpoint.paths(run / "checkpoints")[-1]
    config = config.replace(init_from=str(run))
    initial.check(config, 3, LABELS, SCHEDULE)
    folder = rundir.create(config, "set", "")
    loop.Run(config, make_plan(config), folder).train()
    after = initial.load(folder)
    for kind in ("generator", "ema", "discriminator"):
        assert_taken(getattr(after, kind), getattr(trained, kind))
    assert f"starts from {trained.where}, networks of 8 pixels" in (folder / "log.txt").read_text()


@pytest.mark.parametrize(
    ("theirs", "same", "clean"), [(0.25, True, True), (0.5, True, True), (0.1, True, False), (0.25, False, False)]
)
@pytest.mark.parametrize("of", ["run", "file"])
def test_what_is_held_out_was_held_out_before_or_it_is_said(theirs, same, clean, of, config, tmp_path):
    """A discriminator that starts from networks that know the held-out images is no judge of them."""
    about, source = {"pictures": 16}, tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text(config.replace(holdout=theirs).to_json())
    identity.write(source, about if same else {"pictures": 17}, config.data.dataset)
    (source / "network-000001.keras").touch()
    path = source if of == "run" else source / "network-000001.keras"
    ours = config.replace(init_from=str(path), holdout=0.25)
    assert initial.held_out(ours, about) is clean
    identity.write(source, {"pictures": 18}, config.data.dataset)
    identity.write(source, about, config.data.dataset)
    assert not initial.held_out(ours, about)  # it had another set in between
    (source / "config.json").unlink()
    assert not initial.held_out(ours, about)


@pytest.mark.parametrize("held_out", [0.0, 0.25])
def test_a_run_says_when_it_may_know_what_it_holds_out(held_out, run, config):
    asked = Asked(config.replace(init_from=str(run), holdout=held_out))
    lines = launch.prepare(asked).start.lines
    assert any("are no judge of it" in line for line in lines) is bool(held_out)


@pytest.mark.parametrize("held_out", [0.0, 0.25])
@pytest.mark.parametrize("other", [False, True])
def test_a_run_that_goes_on_with_other_data_says_it_too(other, held_out, run, config, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    identity.write(tmp_path / "run", identity.describe(open_samples(config.data.dataset), 8), config.data.dataset)
    with DatasetWriter(tmp_path / "other", resolution=8, channels=3) as writer:
        for value in range(16):
            writer.add(np.full((8, 8, 3), value, np.uint8))
        writer.add_labels(np.eye(LABELS, dtype=np.float32)[np.arange(16) % LABELS])
    config = config.replace(holdout=held_out, dataset=str(tmp_path / "other") if other else config.data.dataset)
    lines = launch.prepare(Asked(config, resume=str(tmp_path / "run")), change_dataset=True).start.lines
    assert any("are no judge of it" in line for line in lines) is (other and bool(held_out))


# ---- ladders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(config, tmp_path):
    """A run that grows latents and feature maps and was stopped at its first level: its config and its folder."""
    config = config.replace(
        grow="latent,channels", latent_size=8, lod_initial_resolution=4, result_dir=str(tmp_path / "narrow")
    )
    folder = rundir.create(config, "set", "")
    loop.Run(config, make_plan(config), folder).train()
    return config, folder


@pytest.mark.parametrize("kind", ["run", "file"])
def test_networks_of_another_rung_are_refused_with_a_way_out(kind, narrow, tmp_path):
    config, source = narrow
    source = source if kind == "run" else next(source.glob("network-*.keras"))
    for grow, fits in {"layers": False, "latent": False, "none": False, "latent,channels": True}.items():
        ours = config.replace(grow=grow, init_from=str(source))
        schedule = make_plan(ours).schedule
        if fits:
            initial.check(ours, 3, LABELS, schedule)
            continue
        with pytest.raises(
            ConfigError, match=f"4 components of a latent and up to 1/2 of the .*--grow={grow} "
        ) as error:
            initial.check(ours, 3, LABELS, schedule)
        assert ("--grow=latent,channels" in str(error.value)) is (kind == "run")
        assert "\n" not in str(error.value)


def test_whole_networks_begin_any_ladder_at_its_last_level(imported, config):
    for grow in ("latent", "channels", "layers,latent,channels"):
        ours = config.replace(grow=grow, init_from=str(imported[0.0]), lod_initial_resolution=4)
        with pytest.raises(ConfigError, match=r"by another --grow .*; begin at --lod_initial_resolution=8$"):
            initial.check(ours, 3, LABELS, make_plan(ours).schedule)
        ours = ours.replace(lod_initial_resolution=8)
        initial.check(ours, 3, LABELS, make_plan(ours).schedule)


# ---- interruptions ---------------------------------------------------------------------------------------------------


def test_a_resumed_run_starts_from_its_own_checkpoint(imported, config, tmp_path):
    """The networks that it began with may be gone by then; before its first checkpoint it begins with them again."""
    source = tmp_path / "source"
    shutil.copytree(imported[0.0], source)
    config = config.replace(init_from=str(source))
    folder = rundir.create(config, "set", "")
    loop.Run(config, make_plan(config), folder).train()  # as if it had been killed before: there is no checkpoint
    assert_taken(initial.load(folder).discriminator, initial.load(source).discriminator)
    shutil.rmtree(source)
    longer = config.replace(total_kimg=0.016)
    loop.Run(longer, make_plan(longer), folder).train()
    assert_taken(initial.load(folder).discriminator, initial.load(imported[0.0]).discriminator)
    assert (folder / "log.txt").read_text().count("starts from") == 1


def test_it_cannot_change_in_a_run_that_has_begun(run):
    words = "--init_from cannot change in a run that has begun"
    with flagsaver.as_parsed(init_from="elsewhere"), pytest.raises(ConfigError, match=words):
        train.resumed_config(run)


# ---- refusals --------------------------------------------------------------------------------------------------------


def refusal(config, channels=3, labels=LABELS) -> str:
    with pytest.raises(ConfigError) as info:
        initial.check(config, channels, labels, SCHEDULE)
    assert "\n" not in str(info.value)
    return str(info.value)


MISMATCHES = {
    "fmap_base": (64, "--fmap_base=32"), "fmap_max": (16, "--fmap_max=8"), "fmap_decay": (0.5, "--fmap_decay=1.0"),
    "latents": ("uniform", "--latents=gaussian"), "latent_size": (4, "--latent_size=8"),
    "normalize_latents": (False, "--normalize_latents=true"),
    "g_weights": ("plain", "--g_weights=equalized"), "d_weights": ("plain", "--d_weights=equalized"),
    "initializer": ("normal", "--initializer=he"), "init_stddev": (0.1, "--init_stddev=0.02"),
    "g_norm": ("none", "--g_norm=pixel"), "d_norm": ("pixel", "--d_norm=none"),
    "reference_batch": (32, "--reference_batch=64"), "pixelnorm_epsilon": (1e-4, "--pixelnorm_epsilon=1e-08"),
    "g_activation": ("relu", "--g_activation=leaky_relu"), "d_activation": ("relu", "--d_activation=leaky_relu"),
    "g_output": ("tanh", "--g_output=linear"), "fused_scale": (False, "--fused_scale=true"),
    "mbstd_group_size": (2, "--mbstd_group_size=4"),
    "minibatch_statistics": ("moments", "--minibatch_statistics=stddev"), "g_block": ("residual", "--g_block=plain"),
    "d_block": ("residual", "--d_block=plain"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISMATCHES)
def test_other_options_are_refused_with_the_flag_to_give(name, imported, config):
    value, flag = MISMATCHES[name]
    message = refusal(config.replace(init_from=str(imported[0.25]), **{name: value}))
    assert f"--init_from={imported[0.25]}: other networks than this run's" in message
    assert f"{name} {value}" in message
    assert f" {flag}" in message
    assert message.endswith(flag) or name in ("fmap_base", "fmap_max", "fused_scale")


def test_the_flags_that_are_advised_are_enough(imported, config):
    wrong = config.replace(init_from=str(imported[0.0]), fmap_base=64, fmap_max=64, g_activation="relu")
    advised = dict(word[2:].split("=") for word in refusal(wrong).split("add ")[1].split())
    right = {"fmap_base": int(advised["fmap_base"]), "fmap_max": int(advised["fmap_max"])}
    right |= {"latent_size": int(advised["latent_size"]), "g_activation": advised["g_activation"]}
    assert advised.keys() == right.keys()
    initial.check(wrong.replace(**right), 3, LABELS, SCHEDULE)


def test_other_data_is_refused(imported, config):
    config = config.replace(init_from=str(imported[0.0]))
    assert refusal(config, labels=0).endswith("(label_size 0); add --max_label_size=2")
    assert "its images have 3 channel(s), the images of the data set 1" in refusal(config, channels=1)


def test_what_is_no_network_is_refused(imported, config, run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.keras").write_bytes(b"text")
    shutil.copytree(imported[0.0], tmp_path / "half")
    (tmp_path / "half" / "discriminator.keras").unlink()
    shutil.copytree(run, tmp_path / "young")
    shutil.rmtree(tmp_path / "young" / "checkpoints")
    shutil.copytree(run, tmp_path / "damaged")
    for path in (tmp_path / "damaged" / "checkpoints").iterdir():
        (path / "state.index").write_bytes(b"")
    cases = {
        tmp_path / "none": "give an imported network's folder, a run's folder or a .keras file",
        tmp_path / "empty": "give an imported network's folder",
        tmp_path / "broken.keras": "cannot be loaded as a generator",
        tmp_path / "half": "discriminator.keras: cannot be read: No such file",
        tmp_path / "young": "this run has no checkpoint; give its network-*.keras",
        tmp_path / "damaged": "no usable checkpoint",
        imported[0.0] / "discriminator.keras": "holds a Discriminator, not a generator",
    }
    for path, words in cases.items():
        message = refusal(config.replace(init_from=str(path)))
        assert message.startswith("--init_from")
        assert words in message


def test_sizes_of_a_checkpoint(run):
    assert checkpoint.read_sizes(checkpoint.paths(run / "checkpoints")[-1]) == (3, LABELS)


def test_both_classes_are_compared():
    """Every option that the networks know is in a mismatch above, or cannot differ without another one."""
    known = {name for part in ("generator", "discriminator") for name in network_options(part, "progressive")}
    assert known - set(MISMATCHES) == {"residual_blocks", "widening"}
