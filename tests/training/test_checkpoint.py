"""Checkpoints: complete or not there; a damaged one is passed over."""

import json
import resource

import numpy as np
import pytest
from power_cut import PowerCut

from pgan_tf.config import Config
from pgan_tf.files import clear_folder
from pgan_tf.stages import layer_stage
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters, StageState

CONFIG = Config.from_values({"fmap_base": 16, "fmap_max": 4, "latent_size": 4})


def make_state(seed: int) -> StageState:
    return StageState(layer_stage(8, True), CONFIG.replace(seed=seed), num_channels=1, label_size=0)


def arrays(state: StageState) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in state.variables_by_name().items()}


@pytest.fixture
def folder(tmp_path):
    for images in (1000, 2000, 3000):
        checkpoint.save(tmp_path, make_state(seed=images), Counters(images=images, tick=images // 1000), keep=2)
    return tmp_path


def test_everything_comes_back(folder):
    path = checkpoint.newest_sound(folder, print)
    stage, counters = checkpoint.read_counters(path)
    state = make_state(seed=1)
    checkpoint.restore(path, state)
    assert stage == layer_stage(8, True)
    assert counters == Counters(images=3000, tick=3)
    expected = arrays(make_state(seed=3000))
    assert len(expected) > 50
    for name, value in arrays(state).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("fading", [False, True])
def test_the_stage_of_a_checkpoint_of_the_first_version(folder, fading):
    file = checkpoint.paths(folder)[-1] / "counters.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "stage": {"resolution": 8, "fading": fading}}))
    assert checkpoint.read_counters(file.parent)[0] == layer_stage(8, fading)


OTHER_NETWORKS = {
    r"ema/4x4_Dense/weight is float32 \[4, 64\], the run's options ask for float32 \[8, 64\]": {"latent_size": 8},
    r"discriminator/4x4_Conv/bias is float32 \[4\], .* \[8\]": {"fmap_base": 64, "fmap_max": 8},
    r"ema/8x8_Conv2/bias is not there, .* \[4\]": {"g_block": "residual"},
    r"discriminator/8x8_Conv1/bias is not there": {"d_block": "residual"},
    r"discriminator/8x8_Conv1/bias is not there,": {"fused_scale": False},
}


@pytest.mark.parametrize("words", OTHER_NETWORKS)
def test_a_foreign_checkpoint_is_one_line_that_names_what_does_not_fit(words, folder):
    state = StageState(layer_stage(8, True), CONFIG.replace(**OTHER_NETWORKS[words]), num_channels=1, label_size=0)
    before = arrays(state)
    path = checkpoint.paths(folder)[-1]
    with pytest.raises(checkpoint.CheckpointError, match=rf"^{path}: {words}") as info:
        checkpoint.restore(path, state)
    assert "\n" not in str(info.value)
    for name, value in arrays(state).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_more_than_is_asked_for_does_not_fit_either(folder):
    state = StageState(layer_stage(8), CONFIG, num_channels=1, label_size=0)
    words = r"000003\.000: discriminator/FromRGB_4x4/bias is float32 \[4\], the run's options ask for none"
    with pytest.raises(checkpoint.CheckpointError, match=words):
        checkpoint.restore(checkpoint.paths(folder)[-1], state)


def test_the_last_few_are_kept(folder):
    assert [path.name for path in checkpoint.paths(folder)] == ["000002.000", "000003.000"]


def test_a_full_disk_is_said_and_leaves_the_others_alone(folder):
    """A limit on the size of files stands for it."""
    before, limit = checkpoint.paths(folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match=r"000004\.000 cannot be written: [^{\[\n]+; the checkpoints before") as error:
            checkpoint.save(folder, make_state(seed=1), Counters(images=4000), keep=2)
        assert "function_node" not in str(error.value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert checkpoint.paths(folder) == before
    assert len(list(folder.iterdir())) == len(before)


def test_a_run_goes_on_with_its_own_data_only(folder):
    path = checkpoint.newest_sound(folder, print)
    checkpoint.check_data(path, resolution=16, channels=1, label_size=0)
    for other in ((16, 3, 0), (16, 1, 10), (4, 1, 0)):
        with pytest.raises(checkpoint.CheckpointError, match="give the run's own data set by --dataset") as error:
            checkpoint.check_data(path, *other)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest"])
def test_a_damaged_one_is_named_and_passed_over(folder, damage):
    newest = checkpoint.paths(folder)[-1]
    data = next(newest.glob("state.data*"))
    if damage == "truncate":
        data.write_bytes(data.read_bytes()[:-100])
    elif damage == "flip":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif damage == "remove":
        data.unlink()
    else:
        (newest / "manifest.json").write_text("{")
    said = []
    assert checkpoint.newest_sound(folder, said.append).name == "000002.000"
    (line,) = said
    assert str(newest) in line


@pytest.mark.parametrize("keep", [1, 2])
def test_what_was_just_saved_stays_beside_damaged_ones(folder, keep):
    """A run that went back past them saves at other moments than it did then."""
    for path in checkpoint.paths(folder):
        (path / "manifest.json").write_text("{")
    saved = checkpoint.save(folder, make_state(seed=1), Counters(images=1500), keep=keep)
    assert checkpoint.newest_sound(folder, print) == saved


def test_the_newest_has_seen_the_most_images(folder):
    """Not the name that is last in the alphabet; and a copy that somebody made beside them is none."""
    for images in (999_999_000, 1_000_000_000):
        saved = checkpoint.save(folder, make_state(seed=1), Counters(images=images), keep=1)
        assert checkpoint.paths(folder) == [saved]
    (folder / f"{saved.name} (copy)").mkdir()
    assert checkpoint.paths(folder) == [saved]


def test_no_sound_checkpoint_is_one_line(folder):
    for path in checkpoint.paths(folder):
        (path / "manifest.json").unlink()
    with pytest.raises(checkpoint.CheckpointError, match="no usable checkpoint"):
        checkpoint.newest_sound(folder, lambda line: None)


def test_a_killed_writer_leaves_nothing_that_counts(folder):
    (folder / ".tmp-000004.000").mkdir()
    assert checkpoint.newest_sound(folder, print).name == "000003.000"
    checkpoint.save(folder, make_state(seed=5), Counters(images=5000), keep=2)
    assert [path.name for path in sorted(folder.iterdir())] == ["000003.000", "000005.000"]


def test_a_power_cut_leaves_the_newest_that_was_saved(tmp_path):
    """At every moment of three savings, of which one is of the same moment as another, where two are kept."""
    state, saved, seen = make_state(seed=1), [0], set()
    place = tmp_path / "run"
    place.mkdir()

    def law(disk):
        clear_folder(disk / "checkpoints")  # as a run does when it goes on
        if not (disk / "checkpoints").is_dir() or not checkpoint.paths(disk / "checkpoints"):
            assert saved == [0]
            return
        path = checkpoint.newest_sound(disk / "checkpoints", print)
        images = checkpoint.read_counters(path)[1].images
        assert images >= saved[-1]
        seen.add(images)

    with PowerCut(place, tmp_path / "disk", law):
        for images in (1000, 2000, 3000):
            checkpoint.save(place / "checkpoints", state, Counters(images=images), keep=2)
            saved.append(images)
        checkpoint.save(place / "checkpoints", state, Counters(images=3000, tick=5), keep=2)
    assert seen == {1000, 2000, 3000}
