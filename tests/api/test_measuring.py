"""Data sets and metrics by Python."""

import numpy as np
import pytest

import pgan_tf
from pgan_tf.data.holdout import split


def test_a_runs_results_are_kept_and_not_measured_again(trained, capsys):
    run, _ = trained
    (result,) = pgan_tf.evaluate(run, metrics="ms_ssim", images=8)
    assert (result["metric"], result["count"], result["kimg"]) == ("ms_ssim", 8, 0.12)
    assert pgan_tf.evaluate(run, metrics=["ms_ssim"], images=8) == [result]
    assert run.results == [result]
    assert capsys.readouterr().out == ""


def test_arrays_and_folders_are_sets_alike(tmp_path, data):
    reals = pgan_tf.open_dataset(data).read(8, np.arange(24))
    np.save(tmp_path / "reals.npy", reals)
    values = [
        pgan_tf.evaluate(fakes, ours, "pr", extractor="efficientnet-lite0")[0]["values"]
        for fakes, ours in ((reals[:8], reals), (reals[:8], tmp_path / "reals.npy"), (reals[:8], data))
    ]
    assert values[0] == values[1] == values[2]


def test_reals_can_be_a_part(data):
    reals = pgan_tf.open_dataset(data).read(8, np.arange(24))
    (part,) = pgan_tf.evaluate(reals[:8], reals, "fid", extractor="efficientnet-lite0", held_out=0.25)
    assert (part["count"], part["reals_held_out"]) == (6, 0.25)
    held_out = reals[split(24, 0.25)[1]]
    (alone,) = pgan_tf.evaluate(reals[:8], held_out, "fid", extractor="efficientnet-lite0")
    assert part["values"] == alone["values"]


def test_reals_can_be_mirrored(data, trained, one_line):
    reals = pgan_tf.open_dataset(data).read(8, np.arange(24))
    fakes, extractor = reals[:8, :, ::-1], "efficientnet-lite0"
    (plain,) = pgan_tf.evaluate(fakes, reals, "neighbors", extractor=extractor)
    (mirrored,) = pgan_tf.evaluate(fakes, reals, "neighbors", extractor=extractor, mirror_augment=True)
    assert mirrored["reals_mirrored"]
    assert mirrored["values"]["pixels_copies"] > plain["values"]["pixels_copies"]
    one_line(lambda: pgan_tf.evaluate(trained[0], mirror_augment=True), "is for two sets; of a run its own")


def test_a_data_set_is_made_and_opened(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)
    np.save(tmp_path / "images.npy", images)
    made = pgan_tf.create_dataset(tmp_path / "set", "from_numpy", tmp_path / "images.npy", shuffle=0, strict=True)
    assert (made.count, made.resolution, made.channels, made.labels) == (6, 16, 1, None)
    np.testing.assert_array_equal(pgan_tf.open_dataset(tmp_path / "set").read(16, np.arange(6)), images)


def test_what_takes_0_or_1_takes_false_or_true(tmp_path):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8))
    for no, yes in ((0, 1), (False, True), (np.bool_(False), np.bool_(True))):
        kept, shuffled = (
            pgan_tf.create_dataset(tmp_path / f"{value!r}", "from_numpy", tmp_path / "images.npy", shuffle=value)
            .read(8, np.arange(6)) for value in (no, yes)
        )  # fmt: skip
        np.testing.assert_array_equal(kept, np.load(tmp_path / "images.npy"))
        assert (kept != shuffled).any()


def test_numbers_may_be_numpys(data, trained):
    (of_run,) = pgan_tf.evaluate(trained[0], metrics="ms_ssim", images=np.int64(6), seed=np.int32(3))
    assert pgan_tf.evaluate(trained[0], metrics="ms_ssim", images=6, seed=3) == [of_run]


def test_a_mask_chooses_as_in_numpy(data, one_line):
    reals = pgan_tf.open_dataset(data)
    mask = np.arange(reals.count) % 3 == 1
    np.testing.assert_array_equal(reals.read(8, mask), reals.read(8, np.arange(reals.count))[mask])
    assert len(reals.read(8, [])) == 0
    for wrong in (mask[1:], np.array([0.5]), np.zeros((2, 2), int)):
        with pytest.raises(pgan_tf.UserError, match=r"indices are .*; give positions"):
            reals.read(8, wrong)


REFUSED = {
    "source": (lambda to: pgan_tf.create_dataset(to / "a", "nothing"), "invalid choice: 'create_nothing'"),
    "help": (lambda to: pgan_tf.create_dataset(to / "a", "mnist", nonsense=3), "; see dataset_tool.py"),
    "option": (lambda to: pgan_tf.create_dataset(to / "a", "mnist", nonsense=3), "--nonsense=3"),
    "input": (lambda to: pgan_tf.create_dataset(to / "a", "from_numpy", to / "gone.npy"), "gone.npy: no such file"),
    "no data set": (lambda to: pgan_tf.open_dataset(to / "a"), "a: no such folder"),
    "metric": (lambda to: pgan_tf.evaluate(np.zeros((4, 8, 8, 3), np.uint8), metrics="x"), "unknown metric 'x'"),
    "set": (lambda to: pgan_tf.evaluate(to / "gone", metrics="ms_ssim"), "gone: no such file or folder"),
    "array": (lambda to: pgan_tf.evaluate(np.zeros((4, 8, 8, 3)), metrics="ms_ssim"), "array: float64 [4, 8, 8, 3]"),
    "part": (
        lambda to: pgan_tf.evaluate(*[np.zeros((4, 8, 8, 3), np.uint8)] * 2, held_out=-1.0),
        "held_out=-1.0: must be a number, from 0 to 1",
    ),
    "images": (lambda to: pgan_tf.evaluate(to, to, images=-5), "images=-5: must be a whole number, from 2"),
    "no images": (lambda to: pgan_tf.evaluate(to, to, images=0), "images=0: must be a whole number"),
    "seed": (lambda to: pgan_tf.evaluate(to, to, seed=-1), "seed=-1: must be a whole number, from 0 to 4294967295"),
    "not an array": (
        lambda to: pgan_tf.create_dataset(to / "a", "from_numpy", np.zeros(3)),
        "ndarray: not the name of",
    ),
    "usage": (lambda to: pgan_tf.create_dataset(to / "a", "mnist", help=True), "help: is for a terminal"),
    "in full": (lambda to: pgan_tf.create_dataset(to / "a", "from_images", to, res=16), "--res=16"),
    "reals": (lambda to: pgan_tf.evaluate(np.zeros((4, 8, 8, 3), np.uint8), metrics="kid"), "give the data set"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_one_line(act, said, tmp_path, one_line):
    one_line(lambda: act(tmp_path), said)
    assert not (tmp_path / "a").exists()
