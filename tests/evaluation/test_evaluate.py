"""evaluate.py: snapshots of a run and pairs of sets, measured once, with every number's origin beside it."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import mnist_classifier
from pgan_tf.metrics.registry import METRICS

import pgan_tf
from pgan_tf.config import Config
from pgan_tf.data import identity
from pgan_tf.data.samples import open_samples
from pgan_tf.errors import UserError
from pgan_tf.evaluation import results, snapshots
from pgan_tf.evaluation.evaluator import Evaluator, Request
from pgan_tf.evaluation.fakes import GeneratedImages
from pgan_tf.evaluation.sets import open_set
from pgan_tf.evaluation.tasks import RunReals
from pgan_tf.networks import Generator, saved
from pgan_tf.programs import evaluate
from pgan_tf.stages import Fade
from pgan_tf.training.export import save_generator

SIDE = 16


def pictures(seed: int, count: int = 40) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, SIDE // 4, SIDE // 4, 3))
    noise = random.integers(-20, 20, (count, SIDE, SIDE, 3))
    return np.clip(coarse.repeat(4, 1).repeat(4, 2) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def sets(tmp_path):
    for name, seed in (("reals", 1), ("fakes", 2)):
        np.save(tmp_path / f"{name}.npy", pictures(seed))
    return tmp_path


@pytest.fixture
def run(sets):
    """A run folder with two snapshots, measured against reals.npy."""
    folder = sets / "run"
    folder.mkdir()
    config = Config.from_values({"dataset": str(sets / "reals.npy"), "fmap_base": 64, "fmap_max": 8})
    (folder / "config.json").write_text(config.to_json())
    for kimg, seed in ((10, 1), (20, 2)):
        network = Generator(resolution=SIDE, fmap_base=64, fmap_max=8, seed=seed)
        save_generator(network, Fade(), folder / f"network-{kimg:06d}.keras")
    return folder


def call(*arguments: str) -> int:
    return evaluate.run(evaluate.parser().parse_args([str(argument) for argument in arguments]))


def pair(sets, *more: str) -> list[dict]:
    output = sets / "scores.jsonl"
    assert call(f"--reals={sets / 'reals.npy'}", f"--fakes={sets / 'fakes.npy'}", f"--output={output}", *more) == 0
    return results.read(output)


def test_two_sets_and_what_a_result_says(sets, capsys):
    row = pair(sets, "--metrics=swd")[0]
    assert row["metric"] == "swd"
    assert row["values"].keys() == {"16", "avg"}
    assert (row["count"], row["seed"]) == (40, 2020)
    assert row["reals"].endswith("reals.npy")
    assert row["versions"].keys() >= {"pgan_tf", "tensorflow", "keras", "numpy", "python"}
    assert "SWD x1e3" in capsys.readouterr().out


def test_features_come_with_the_extractors_name_and_hash(sets, capsys):
    row = pair(sets, "--metrics=fid", "--extractor=efficientnet-lite0")[0]
    assert row["title"] == "FID (efficientnet-lite0)"
    assert len(row["extractor_sha256"]) == 64
    said = capsys.readouterr()
    assert "FID (efficientnet-lite0)" in said.out
    warning = "warning: FID (efficientnet-lite0) of 40 images says little: its 1280 features need 2,048 images at least"
    assert said.err.count(warning) == 1


def test_only_metrics_of_too_few_images_are_doubted(sets):
    reals = open_set(sets / "reals.npy")
    assert Evaluator(reals, Request(("swd", "ms_ssim", "kid"))).doubts(40) == []
    many = Evaluator(reals.part(0, 2048, "many"), Request(("fid",)))
    assert many.doubts(2048) == []
    assert "of 2047 images" in many.doubts(2047)[0]


def test_it_is_said_that_the_first_of_a_set_are_compared(sets, capsys):
    """Nobody knows how files are sorted; a data set is shuffled when it is made."""
    pair(sets, "--metrics=swd", "--images=20")
    err = capsys.readouterr().err
    for name in ("reals.npy", "fakes.npy"):
        assert err.count(f"{name} the first 20 are compared; if sorted, by class say, shuffle them before") == 1
    pair(sets, "--metrics=swd", "--seed=3")
    assert "are compared; if sorted" not in capsys.readouterr().err
    pair(sets, "--metrics=swd", "--seed=4", "--baselines")  # one half of the reals against the other
    assert capsys.readouterr().err.count("reals.npy the first 20 are compared; if sorted") == 1


def test_a_run_is_measured_once_and_others_after_a_kill(run):
    """All snapshots share the reals; what is in metrics.jsonl is not measured again; a cut line spoils nothing."""
    arguments = (f"--run={run}", "--snapshots=all", "--metrics=swd,ms_ssim", "--images=32")
    assert call(*arguments) == 0
    file = run / "metrics.jsonl"
    first = file.read_text()
    assert [(row["kimg"], row["metric"]) for row in results.read(file)] == [
        (10, "swd"), (10, "ms_ssim"), (20, "swd"), (20, "ms_ssim"),
    ]  # fmt: skip
    assert call(*arguments) == 0
    assert file.read_text() == first
    lines = first.splitlines()
    file.write_text("\n".join(lines[:3]) + "\n" + lines[3][:50])  # killed while it wrote the last one
    assert call(*arguments) == 0
    assert [(row["values"], row["count"]) for row in results.read(file)] == [
        (row["values"], row["count"]) for row in map(json.loads, lines)
    ]
    assert list(run.glob("events.out.tfevents.*"))


def test_a_network_of_elsewhere_is_not_taken_for_the_runs_own(run, tmp_path):
    """It may have the same name, and its result is no point of the run's curves."""
    other = tmp_path / "network-000020.keras"
    shutil.copy(run / "network-000010.keras", other)
    for which in (other, run / other.name, other.name, "latest"):
        call(f"--run={run}", f"--snapshots={which}", "--metrics=swd", "--images=32")
    foreign, own = results.read(run / "metrics.jsonl")
    assert (foreign["fakes"], own["fakes"]) == (str(other), other.name)
    assert "kimg" not in foreign
    assert own["kimg"] == 20


def test_it_is_said_that_a_runs_data_set_was_made_anew(run, sets, capsys):
    for number, name in enumerate(("mine", "other")):
        np.save(sets / f"{name}.npy", np.load(sets / ("reals.npy", "fakes.npy")[number]))
        pgan_tf.create_dataset(sets / name, "from_numpy", sets / f"{name}.npy", shuffle=0)
    config = Config.read(run / "config.json").replace(dataset=str(sets / "mine"))
    (run / "config.json").write_text(config.to_json())
    identity.write(run, identity.describe(open_samples(sets / "mine"), SIDE), sets / "mine")
    call(f"--run={run}", "--metrics=swd", "--images=16")
    assert "holds other images now" not in capsys.readouterr().err
    shutil.rmtree(sets / "mine")
    (sets / "other").rename(sets / "mine")
    call(f"--run={run}", "--metrics=swd", "--images=24")
    assert f"{sets / 'mine'}: holds other images now than those that {run} was trained on" in capsys.readouterr().err


def test_a_run_that_mirrors_is_measured_against_mirrored_reals(run, sets):
    """As by the original; what was measured before the run's options said so is measured again."""
    call(f"--run={run}", "--metrics=swd")
    config = Config.read(run / "config.json").replace(mirror_augment=True)
    (run / "config.json").write_text(config.to_json())
    call(f"--run={run}", "--metrics=swd")
    plain, mirrored = results.read(run / "metrics.jsonl")
    assert ("reals_mirrored" in plain, mirrored["reals_mirrored"]) == (False, True)
    assert mirrored["reals_sha256"] == open_set(sets / "reals.npy", mirror=True).digest
    assert mirrored["values"] != plain["values"]
    np.save(sets / "mirrored.npy", np.concatenate(list(open_set(sets / "reals.npy", mirror=True))))
    call(f"--run={run}", "--metrics=swd", f"--dataset={sets / 'reals.npy'}", f"--output={sets / 'a.jsonl'}")
    (run / "config.json").write_text(config.replace(mirror_augment=False).to_json())
    call(f"--run={run}", "--metrics=swd", f"--dataset={sets / 'mirrored.npy'}", f"--output={sets / 'b.jsonl'}")
    assert results.read(sets / "a.jsonl")[0]["values"] == results.read(sets / "b.jsonl")[0]["values"]


def test_two_sets_whose_reals_are_mirrored(sets):
    plain = pair(sets, "--metrics=swd", "--baselines")
    both = pair(sets, "--metrics=swd", "--baselines", "--mirror_augment")
    assert len(both) == 2 * len(plain) == 6  # all are measured anew
    assert [row.get("reals_mirrored", False) for row in both] == [False] * 3 + [True] * 3


def test_a_run_is_measured_against_what_it_held_out(run, sets):
    """As against a set of these images alone; a run that held out more can be measured against the same."""
    config = Config.read(run / "config.json").replace(holdout=0.6)
    (run / "config.json").write_text(config.to_json())
    call(f"--run={run}", "--metrics=swd", "--held_out=0.5", "--baselines")
    rows = results.read(run / "metrics.jsonl")
    assert [(row["fakes"][:7], row["count"], row["reals_held_out"]) for row in rows] == [
        ("Reals", 20, 0.5), ("Reals2", 20, 0.5), ("network", 20, 0.5),
    ]  # fmt: skip
    for name, part in zip(("others", "held_out"), open_set(sets / "reals.npy").parted(0.5), strict=True):
        np.save(sets / f"{name}.npy", np.concatenate(list(part)))
    call(f"--run={run}", "--metrics=swd", f"--dataset={sets / 'held_out.npy'}", f"--output={sets / 'a.jsonl'}")
    assert results.read(sets / "a.jsonl")[0]["values"] == rows[2]["values"]
    call(f"--reals={sets / 'held_out.npy'}", f"--fakes={sets / 'others.npy'}", f"--output={sets / 'b.jsonl'}",
         "--metrics=swd")  # fmt: skip
    assert results.read(sets / "b.jsonl")[0]["values"] == rows[1]["values"]
    call(f"--run={run}", "--metrics=swd", "--held_out=0.5")
    assert len(results.read(run / "metrics.jsonl")) == 3  # it is known
    call(f"--run={run}", "--metrics=swd")
    part, whole = results.read(run / "metrics.jsonl")[2:]
    assert "reals_held_out" not in whole  # it is not that of all reals, and no point of its curves
    assert (part["title"], whole["title"]) == ("SWD x1e3, held out 0.5", "SWD x1e3")
    assert not set(results.scalars(part)) & set(results.scalars(whole))


def test_only_of_its_own_data_set_a_run_has_held_out_a_part(run, sets):
    """Wherever that lies now; of others nobody knows what the run has seen."""
    for name in ("reals", "fakes"):
        pgan_tf.create_dataset(sets / name, "from_numpy", sets / f"{name}.npy", shuffle=0)
    config = Config.read(run / "config.json").replace(holdout=0.5, dataset=str(sets / "reals"))
    (run / "config.json").write_text(config.to_json())
    identity.write(run, identity.describe(open_samples(sets / "reals"), SIDE), sets / "reals")
    (sets / "reals").rename(sets / "moved")
    call(f"--run={run}", "--metrics=swd", "--held_out=0.5", f"--dataset={sets / 'moved'}")
    assert results.read(run / "metrics.jsonl")[0]["reals_held_out"] == 0.5
    for other in ("fakes", "reals.npy"):
        with pytest.raises(UserError, match=f"{other} is not known to be these; leave --dataset out, or --held_out"):
            call(f"--run={run}", "--metrics=swd", "--held_out=0.5", f"--dataset={sets / other}")
    with pytest.raises(UserError, match="and an array is not known to be these"):
        RunReals(run, pictures(1), None, 0.5)
    (run / identity.FILE).unlink()  # then nothing is known
    with pytest.raises(UserError, match="moved is not known to be these"):
        call(f"--run={run}", "--metrics=swd", "--held_out=0.5", f"--dataset={sets / 'moved'}")


def test_other_images_in_the_place_of_the_runs_own_have_no_held_out_part(run, sets):
    for name in ("reals", "fakes"):
        pgan_tf.create_dataset(sets / name, "from_numpy", sets / f"{name}.npy", shuffle=0)
    config = Config.read(run / "config.json").replace(holdout=0.5, dataset=str(sets / "reals"))
    (run / "config.json").write_text(config.to_json())
    identity.write(run, identity.describe(open_samples(sets / "reals"), SIDE), sets / "reals")
    assert RunReals(run, None, None, 0.5).images.held_out == 0.5
    (sets / "reals").rename(sets / "moved")
    (sets / "fakes").rename(sets / "reals")
    with pytest.raises(UserError, match=r"in .*reals there are others now; give by --dataset the place of the run's"):
        RunReals(run, None, None, 0.5)
    assert RunReals(run, sets / "moved", None, 0.5).images.held_out == 0.5
    assert RunReals(run, None, None).images.held_out == 0


def test_a_run_that_had_another_data_set_has_no_held_out_part(run, sets):
    """What it holds out now it may have been trained on."""
    for name in ("reals", "fakes"):
        pgan_tf.create_dataset(sets / name, "from_numpy", sets / f"{name}.npy", shuffle=0)
    config = Config.read(run / "config.json").replace(holdout=0.5, dataset=str(sets / "reals"))
    (run / "config.json").write_text(config.to_json())
    for name in ("fakes", "reals"):
        identity.write(run, identity.describe(open_samples(sets / name), SIDE), sets / name)
    with pytest.raises(UserError, match=r"the run had another data set before, .*; leave --held_out out"):
        RunReals(run, None, None, 0.5)
    assert RunReals(run, None, None).images.held_out == 0


def test_copies_are_not_looked_for_among_what_is_held_out(sets):
    with pytest.raises(MetricError, match=r"--metrics=neighbors looks for copies, .*; leave --held_out out"):
        call(f"--reals={sets / 'reals.npy'}", f"--fakes={sets / 'fakes.npy'}", "--metrics=neighbors", "--held_out=0.5")


def test_the_baselines_asked_for_last_are_the_newest(sets):
    """For whoever goes by the newest: data may change, and change back."""
    own, other = np.load(sets / "reals.npy"), np.load(sets / "fakes.npy")
    values = []
    for array in (own, other, own, own):
        np.save(sets / "reals.npy", array)
        call(f"--reals={sets / 'reals.npy'}", "--metrics=swd", "--baselines", f"--output={sets / 'b.jsonl'}")
        rows = results.read(sets / "b.jsonl")
        assert [row["fakes"] for row in rows[-2:]] == ["Reals", "Reals2"]
        values.append(rows[-1]["values"])
    assert (values[0], values[2], len(rows)) == (values[2], values[3], 6)
    assert values[1] != values[0]


def test_two_sets_of_which_the_reals_are_a_part(sets):
    row = pair(sets, "--metrics=swd", "--held_out=0.25")[0]
    np.save(sets / "reals.npy", np.concatenate(list(open_set(sets / "reals.npy").parted(0.25)[1])))
    assert (row["count"], row["values"]) == (10, pair(sets, "--metrics=swd")[1]["values"])


def test_a_mirrored_copy_is_a_copy(sets):
    """Where a run mirrors, whichever way round the image lies among the reals."""
    reals = sets / "reals.npy"
    for fakes in (np.load(reals), np.load(reals)[:, :, ::-1]):
        np.save(sets / "fakes.npy", fakes)
        row = pair(sets, "--metrics=neighbors", "--extractor=efficientnet-lite0", "--mirror_augment")[-1]
        assert row["values"]["pixels_copies"] == row["values"]["features_copies"] == 1
    assert pair(sets, "--metrics=neighbors", "--extractor=efficientnet-lite0")[-1]["values"]["pixels_copies"] == 0


def test_another_snapshot_of_the_same_name_is_measured(run):
    assert call(f"--run={run}", "--metrics=ms_ssim", "--images=32") == 0
    save_generator(Generator(resolution=SIDE, fmap_base=64, fmap_max=8, seed=9), Fade(), run / "network-000020.keras")
    assert call(f"--run={run}", "--metrics=ms_ssim", "--images=32") == 0
    assert len(results.read(run / "metrics.jsonl")) == 2


def test_other_images_at_the_same_place_are_measured(sets):
    """A result stands for what the sets held, not for where they lay."""
    pair(sets, "--metrics=ms_ssim,swd")
    np.save(sets / "fakes.npy", pictures(5))
    assert len(pair(sets, "--metrics=ms_ssim,swd")) == 4
    np.save(sets / "reals.npy", pictures(6))
    assert len(pair(sets, "--metrics=swd")) == 5
    assert len(pair(sets, "--metrics=ms_ssim,swd")) == 6


def test_a_metric_with_its_own_extractor_names_it(sets, tmp_path, monkeypatch):
    weights = tmp_path / "weights.npz"
    sha256 = mnist_classifier.write(weights, mnist_classifier.build(), {})
    monkeypatch.setenv(mnist_classifier.ENVIRONMENT, str(weights))
    row = pair(sets, "--metrics=modes")[0]
    assert (row["title"], row["extractor_sha256"]) == ("modes (mnist-classifier)", sha256)


def test_baselines(sets):
    rows = pair(sets, "--metrics=swd", "--baselines")
    assert [(row["fakes"][-9:], row["count"]) for row in rows] == [("Reals", 40), ("Reals2", 20), ("fakes.npy", 40)]


def test_statistics_stand_for_the_reals(sets, tmp_path, monkeypatch):
    """A distance to the kept statistics of a set is the distance to the set; other metrics say why they cannot."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    row = pair(sets, "--metrics=fid", "--extractor=efficientnet-lite0")[0]
    kept = next((tmp_path / "cache").rglob("*.npz"))
    output = sets / "again.jsonl"
    arguments = (f"--reals={kept}", f"--fakes={sets / 'fakes.npy'}", "--extractor=efficientnet-lite0")
    assert call(*arguments, "--metrics=fid", f"--output={output}") == 0
    assert results.read(output)[0]["values"]["fid"] == pytest.approx(row["values"]["fid"], rel=1e-9)
    with pytest.raises(MetricError, match="only FID"):
        call(*arguments, "--metrics=swd")


def test_fakes_are_the_same_at_every_reading():
    network = Generator(resolution=8, fmap_base=32, fmap_max=8, label_size=3)
    labels = np.eye(3, dtype=np.float32)
    fakes = GeneratedImages(lambda z, y: network((z, y)), network.latent_size, 5, 16, labels)
    readings = [np.concatenate([batch for batch, _ in zip(fakes, range(3), strict=False)]) for _ in range(2)]
    np.testing.assert_array_equal(*readings)
    assert readings[0].shape == (96, 16, 16, 3)
    assert len(np.unique(readings[0].reshape(96, -1), axis=0)) == 96
    other = GeneratedImages(lambda z, y: network((z, y)), network.latent_size, 6, 16, labels)
    assert not np.array_equal(next(iter(other)), readings[0][:32])


def test_labels_of_fakes_follow_those_of_the_reals():
    labels = np.repeat(np.eye(2, dtype=np.float32), [25, 75], axis=0)
    draw = lambda latents, labels: tf.reshape(labels[:, 1] * 2 - 1, [-1, 1, 1, 1])  # noqa: E731
    batches = [batch for batch, _ in zip(GeneratedImages(draw, 4, 5, 1, labels), range(20), strict=False)]
    share = np.mean(np.concatenate(batches) > 127)  # of the second class, among 640
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 640)


def test_best_means_lower_or_higher_by_the_metric():
    assert results.is_better("swd", 1, 2)
    assert results.is_better("is", 2, 1)
    assert results.is_better("swd", 9, float("nan"))
    assert not results.is_better("swd", float("nan"), 9)
    assert not results.is_better("swd", float("nan"), float("nan"))
    assert all(row.headline and row.title for row in METRICS.values())


def test_what_was_measured_before_an_error_is_shown(run, sets, capsys):
    """In the table, and in TensorBoard: the next call finds it in the file and would never add it."""
    more = ("--metrics=swd,kid", "--extractor=efficientnet-lite0")
    for arguments in ((f"--reals={sets / 'reals.npy'}", f"--fakes={sets / 'fakes.npy'}"), (f"--run={run}",)):
        with pytest.raises(MetricError, match="subsets"):
            call(*arguments, *more)
        assert "SWD x1e3" in capsys.readouterr().out
    assert list(run.glob("events.out.tfevents.*"))


def test_reals_that_have_moved(run, sets):
    (sets / "reals.npy").rename(sets / "elsewhere.npy")
    with pytest.raises(MetricError, match="are not there; say by --dataset where they are now"):
        call(f"--run={run}", "--metrics=ms_ssim", "--images=4")
    assert call(f"--run={run}", "--metrics=ms_ssim", "--images=4", f"--dataset={sets / 'elsewhere.npy'}") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics=swd"], "either --run"),
        (["--run=nowhere"], "no config.json"),
        (["--run={run}", "--metrics=beauty"], "unknown metric 'beauty': the known ones are swd"),
        (["--run={run}", "--snapshots=gone.keras"], "no such file, here or in"),
        (["--run={run}", "--snapshots={run}/config.json"], "not a .keras file"),
        (["--run={sets}/reals.npy"], "no config.json"),
        (["--run={run}", "--metrics=kid", "--extractor=efficientnet-lite0"], "40 images do not fill subsets"),
        (["--run={run}", "--images=1"], "--images: 1: must be 2 or more"),
        (["--run={run}", "--seed=-1"], "--seed: -1: must be 0 or more"),
        (["--run={run}", "--metrics=fid", "--extractor=vgg"], "no extractor is named 'vgg'"),
        (["--reals={sets}/reals.npy"], "--fakes is missing"),
        (["--run={run}", "--mirror_augment"], "goes with --reals=SET; of a run its own --mirror_augment decides"),
        (["--run={run}", "--held_out=0.25"], r"--held_out=0.25: the run held out 0 of its images \(--holdout\)"),
        (["--run={run}", "--held_out=1.5"], "--held_out: 1.5: must be a number, 0 or more, at most 1"),
        (["--fakes={sets}/fakes.npy", "--held_out=0.25"], "--held_out is a part of real images: give --run=RUN or"),
        (["--reals={sets}/s.npz", "--fakes={sets}/fakes.npy", "--held_out=0.25"], "statistics have no parts"),
        (["--fakes={sets}/fakes.npy", "--metrics=swd"], "give the data set"),
        (["--reals={sets}/reals.npy", "--fakes={sets}/small.npy", "--metrics=swd"], r"\[8, 8, 3\]"),
        (["--reals={sets}/reals.npy", "--fakes={sets}/grey.npy", "--metrics=swd"], r"\[16, 16, 1\]"),
    ],
)
def test_bad_input_is_one_line(arguments, message, run, sets):
    np.save(sets / "small.npy", pictures(3)[:, :8, :8])
    np.save(sets / "grey.npy", pictures(3)[..., :1])
    np.savez(sets / "s.npz", mu=np.zeros(4), sigma=np.eye(4))
    with pytest.raises((UserError, ValueError), match=message) as error:
        call(*(argument.format(run=run, sets=sets) for argument in arguments))
    assert "\n" not in str(error.value)


def test_a_snapshot_goes_by_its_name_in_the_folder_and_by_its_path(run, monkeypatch):
    name = saved.snapshots(run)[0].name
    assert snapshots.find(run, name) == snapshots.find(run, str(run / name))
    monkeypatch.chdir(run)
    assert snapshots.find(run, name)[0].path.samefile(run / name)
