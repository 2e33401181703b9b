"""generate.py as users call it: every command, the same pictures from the same seed, and one line for what is wrong."""

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import RecordDataset
from pgan_tf.inference import sample
from pgan_tf.programs import start


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """`call("grid", network, ..)` in an empty folder: (exit status, lines of stdout, lines of stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = start.run("generate", [str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def made(call):
    """The same for calls that must succeed: what they print on stdout."""

    def run(*arguments):
        status, out, err = call(*arguments)
        assert status == 0, err
        return out

    return run


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_grid_of_a_run_by_its_newest_snapshot(made, labelled_run, tmp_path):
    assert made("grid", labelled_run) == ["wrote 00000-tiny-s1-grid-seed0.png"]
    assert pixels(tmp_path / "00000-tiny-s1-grid-seed0.png").shape == (512, 768)
    made("grid", labelled_run / "network-000010.keras", "same.png")
    assert np.array_equal(pixels("same.png"), pixels("00000-tiny-s1-grid-seed0.png"))
    made("grid", labelled_run / "network-000002.keras")
    assert not np.array_equal(pixels("network-000002-grid-seed0.png"), pixels("same.png"))


def test_images_and_grid_show_the_same_whatever_their_number(made, labelled_run):
    made("images", labelled_run, "forty", "--num=40", "--seed=7")
    made("images", labelled_run, "three", "--num=3", "--seed=7", "--format=webp")
    made("grid", labelled_run, "grid.webp", "--grid_size=5x2", "--seed=7")
    forty = np.stack([pixels(f"forty/{i:06d}.png") for i in range(40)])
    assert forty.shape == (40, 16, 16)
    assert len(np.unique(forty, axis=0)) == 40
    three = np.stack([pixels(f"three/{i:06d}.webp")[..., 0] for i in range(3)])  # WebP knows no grey
    assert np.array_equal(three, forty[:3])
    cells = pixels("grid.webp")[::4, ::4, 0].reshape(2, 16, 5, 16).swapaxes(1, 2).reshape(10, 16, 16)
    assert np.array_equal(cells, forty[:10])
    assert np.array_equal(np.load("three/labels.npy"), np.load("forty/labels.npy")[:3])


def test_images_as_a_data_set(made, labelled_run):
    made("images", labelled_run, "set", "--num=6", "--format=records", "--labels=all")
    made("images", labelled_run, "files", "--num=6", "--labels=all")
    dataset = RecordDataset("set")
    assert np.array_equal(dataset.labels, np.eye(3)[[0, 1, 2, 0, 1, 2]])
    files = np.stack([pixels(f"files/{i:06d}.png") for i in range(6)])[..., None]
    assert np.array_equal(dataset.read(16, np.arange(6)), files)


def test_a_network_without_labels_has_none_in_its_folder(made, plain_file, tmp_path):
    made("images", plain_file, "out", "--num=2")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000.png", "000001.png"]
    assert pixels("out/000000.png").shape == (16, 16, 3)


def test_seed_truncation_and_labels_change_the_pictures(made, labelled_run):
    variants = ["--seed=0", "--seed=1", "--truncation=0.5", "--labels=2"]
    for i, variant in enumerate(variants):
        made("grid", labelled_run, f"{i}.png", variant, "--grid_size=3x2")
    found = np.stack([pixels(f"{i}.png") for i in range(4)])
    assert len(np.unique(found, axis=0)) == 4


STILLS = {
    "grid": ["--grid_size=3x2"],
    "walk": ["--dims=1-4,5-20", "--steps=3", "--walks=2"],
    "axis": ["--dims=1,7-8", "--steps=3"],
    "style": ["--dims=1-10", "--grid_size=3x2"],
}
SHOWN = {"grid": 6, "walk": 12, "axis": 9, "style": 12}


@pytest.mark.parametrize("command", STILLS)
def test_the_latents_of_a_still_are_those_of_its_images(made, labelled_run, command):
    made(command, labelled_run, "a.png", *STILLS[command], "--labels=1", "--save_latents=z.npy")
    latents = np.load("z.npy")
    assert latents.shape == (SHOWN[command], 20)
    assert latents.dtype == np.float32
    made("images", labelled_run, "images", "--latents=z.npy", "--labels=1")
    picture = pixels("a.png")
    for i in range(1 if command == "style" else 0, SHOWN[command]):  # its corner is left white
        assert contains(picture, pixels(f"images/{i:06d}.png").repeat(4, axis=0).repeat(4, axis=1))


def contains(picture, part):
    """Whether `part` lies somewhere within a picture."""
    height, width = part.shape
    windows = np.lib.stride_tricks.sliding_window_view(picture[:, :], (1, width))[:, :, 0]
    rows = np.argwhere((windows[: len(picture) - height + 1] == part[0]).all(axis=-1))
    return any(np.array_equal(picture[y : y + height, x : x + width], part) for y, x in rows)


def test_defaults_of_the_stills(made, plain_file):
    for command in STILLS:
        assert made(command, plain_file) == [f"wrote plain-{command}-seed0.png"]


def video(path):
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader])


SHORT = ["--duration=0.4", "--fps=10", "--grid_size=2x1"]
VIDEOS = {
    "at random": ["interpolate", *SHORT],
    "through seeds": ["interpolate", *SHORT, "--seeds=1,2"],
    "walk": ["walk", "--dims=1-4,5-20", *SHORT[:2]],
}


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_is_the_same_every_time_and_comes_back_from_its_latents(made, labelled_run, name):
    command, *flags = VIDEOS[name]
    made(command, labelled_run, "a.mp4", *flags, "--save_latents=z.npy", "--seed=3")
    made(command, labelled_run, "b.mp4", *flags, "--seed=3")
    made(command, labelled_run, "c.mp4", *flags, "--seed=4")
    assert np.array_equal(video("a.mp4"), video("b.mp4"))
    assert np.load("z.npy").shape == (4 * 2, 20)
    if name != "through seeds":
        assert not np.array_equal(video("a.mp4"), video("c.mp4"))
    if command == "interpolate":
        made("interpolate", labelled_run, "d.mp4", *SHORT, "--latents=z.npy", "--seed=3")
        assert np.abs(video("d.mp4").astype(int) - video("a.mp4")).max() <= 8


def test_the_thesis_walks(made, labelled_run):
    """Of 20 dimensions three sets, four references and five points of each; three of its six axes are there."""
    made("walk", labelled_run, "walk.png", "--protocol", "--save_latents=walk.npy")
    walks = np.load("walk.npy").reshape(3, 4, 5, -1)
    assert (np.ptp(walks, axis=2) > 0).sum(axis=2).tolist() == [[8] * 4, [8] * 4, [4] * 4]
    np.testing.assert_array_equal(walks[0, :, 0], walks[1, :, 0])
    made("axis", labelled_run, "axis.png", "--protocol", "--save_latents=axis.npy")
    axes = np.load("axis.npy").reshape(3, 4, -1)
    assert [np.flatnonzero(np.ptp(row, axis=0)).tolist() for row in axes] == [[0], [1], [4]]
    made("style", labelled_run, "style.png", "--sets", "--grid_size=3x1")
    assert pixels("style.png").shape[1] == 112 + 4 * 64


def test_default_of_the_interpolation(made, plain_file):
    assert made("interpolate", plain_file, "--duration=0.1") == ["wrote plain-interpolate-seed0.mp4"]
    assert video("plain-interpolate-seed0.mp4").shape == (3, 384, 512, 3)


def test_a_training_video_shows_each_snapshot_of_the_same_latents(made, labelled_run):
    made("training_video", labelled_run, "a.webp", "--duration=0.4", "--fps=10", "--grid_size=3x2", "--labels=all")
    image = Image.open("a.webp")
    assert image.size == (192, 128 + 32)  # the caption
    found = []
    for frame in range(image.n_frames):
        image.seek(frame)
        found.append(np.asarray(image.convert("L"))[:128].astype(int))
    assert np.abs(found[0] - found[-1]).mean() > 5
    for frame, snapshot in ((found[0], "network-000002.keras"), (found[-1], "network-000010.keras")):
        made("grid", labelled_run / snapshot, "grid.png", "--grid_size=3x2", "--labels=all", "--overwrite")
        assert np.abs(frame - pixels("grid.png")).mean() < 6  # WebP is lossy


def test_a_training_video_from_the_pictures_of_a_run(made, call, tmp_path):
    (tmp_path / "run").mkdir()
    for kimg, grey in ((1, 10), (2, 120), (10, 240)):
        Image.new("L", (64, 64), grey).save(tmp_path / "run" / f"fakes{kimg:06d}.png")
    made("training_video", "run", "a.mp4", "--source=fakes", "--duration=0.6", "--fps=10")
    found = video("a.mp4")
    assert found.shape == (6, 96, 64, 3)
    assert np.abs(found[:, 8, 8, 0].astype(int) - [10, 10, 120, 120, 240, 240]).max() <= 4
    for flag in ("--labels=3", "--truncation=0.5", "--grid_size=2x2", "--latents=z.npy", "--save_latents=z.npy"):
        status, _, err = call("training_video", "run", "b.mp4", "--source=fakes", flag)
        assert (status, len(err)) == (2, 1)


def test_pictures_of_two_sizes_are_one_video(made, tmp_path):
    """A run that was resumed with another --grid_size has such."""
    (tmp_path / "run").mkdir()
    for kimg, size in ((1, (64, 64)), (2, (128, 32))):
        Image.new("L", size, 40).save(tmp_path / "run" / f"fakes{kimg:06d}.png")
    made("training_video", "run", "a.mp4", "--source=fakes", "--duration=0.2", "--fps=10")
    found = video("a.mp4").astype(int)
    assert found.shape == (2, 96, 128, 3)
    assert np.abs(found[0, :64, 32:96] - 40).max() <= 4
    assert np.abs(found[1, 16:48] - 40).max() <= 4
    assert found[0, :64, :28].min() > 245
    assert found[1, :12].min() > 245


BAD = {
    "seconds of a picture": ["walk", "{run}", "a.png", "--duration=3"],
    "a sheet too large for WebP": ["neighbors", "{run}", "a.webp", "--num=200", "--neighbors=40"],
    "a sheet too large for anyone": ["neighbors", "{run}", "a.png", "--num=100000", "--neighbors=1000"],
    "label out of range": ["grid", "{run}", "--labels=3"],
    "label that is none": ["grid", "{run}", "--labels=cat"],
    "labels for a network without": ["grid", "{plain}", "--labels=0"],
    "dimension out of range": ["walk", "{run}", "--dims=1-8,17-21"],
    "dimension of an axis": ["axis", "{run}", "--dims=21"],
    "a walk's protocol and its steps": ["walk", "{run}", "--protocol", "--steps=3"],
    "an axis' protocol and its reach": ["axis", "{run}", "--protocol", "--reach=0.1"],
    "dimension of sets": ["style", "{run}", "--sets", "--dims=1-8,9-99"],
    "too many columns of sets": ["style", "{run}", "--sets", "--grid_size=100000x1"],
    "dimension of a style": ["style", "{run}", "--dims=0"],
    "latents of another size": ["grid", "{run}", "--latents={folder}/narrow.npy"],
    "latents not finite": ["images", "{run}", "--latents={folder}/nan.npy"],
    "too few latents": ["grid", "{run}", "--latents={folder}/two.npy", "--grid_size=3x1"],
    "latents for other cells": ["interpolate", "{run}", "--latents={folder}/two.npy", "--grid_size=3x1"],
    "absent latents": ["grid", "{run}", "--latents={folder}/absent.npy"],
    "seeds and latents": ["interpolate", "{run}", "--latents={folder}/two.npy", "--seeds=1,2"],
    "no network": ["grid", "{folder}/absent"],
    "run without snapshot": ["grid", "{folder}/young"],
    "training video without run": ["training_video", "{folder}/absent"],
    "training video of a young run": ["training_video", "{folder}/young"],
    "no network but text": ["grid", "{folder}/text.keras"],
    "picture with unknown suffix": ["grid", "{run}", "a.bmp"],
    "video with unknown suffix": ["interpolate", "{run}", "a.avi"],
    "walk with unknown suffix": ["walk", "{run}", "a.avi"],
    "still as video": ["grid", "{run}", "a.mp4"],
    "latents with unknown suffix": ["grid", "{run}", "--save_latents=z.txt"],
    "existing picture": ["grid", "{run}", "{folder}/old.png"],
    "existing video": ["interpolate", "{run}", "{folder}/old.mp4"],
    "existing latents": ["grid", "{run}", "--save_latents={folder}/two.npy"],
    "latents among the pictures": ["images", "{run}", "pictures", "--save_latents=pictures/z.npy"],
    "existing folder": ["images", "{run}", "{folder}"],
    "foreign folder": ["images", "{run}", "{folder}", "--overwrite"],
    "somebody's data set": ["images", "{run}", "{folder}/cats", "--overwrite"],
    "somebody's labels": ["images", "{run}", "{folder}/arrays", "--overwrite"],
    "somebody's pictures": ["images", "{run}", "{folder}/frames", "--overwrite"],
    "folder that is a file": ["images", "{run}", "{folder}/old.png", "--overwrite"],
    "file that is a folder": ["grid", "{run}", "{folder}/dir.png", "--overwrite"],
    "folder that is a file, above": ["grid", "{run}", "{folder}/old.png/a.png"],
    "grid size": ["grid", "{run}", "--grid_size=0x3"],
    "truncation": ["grid", "{run}", "--truncation=2"],
    "seed": ["grid", "{run}", "--seed=-1"],
}


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    np.save(folder / "narrow.npy", np.zeros((2, 19)))
    np.save(folder / "two.npy", np.ones((2, 20)))
    np.save(folder / "nan.npy", np.full((2, 20), np.nan))
    (folder / "young").mkdir()
    (folder / "young" / "config.json").write_text("{}")
    (folder / "dir.png").mkdir()
    for name in ("cats/cats-r02.tfrecords", "frames/000001.png", "frames/000002.png", "arrays/labels.npy"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("somebody's")
    for name in ("text.keras", "old.png", "old.mp4"):
        (folder / name).write_text("something")
    return folder


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_said_in_one_line_and_leaves_nothing(call, labelled_run, plain_file, bad_folder, tmp_path, name):
    before = {path: path.read_bytes() for path in bad_folder.rglob("*") if path.is_file()}
    words = {"run": labelled_run, "plain": plain_file, "folder": bad_folder}
    status, out, err = call(*[argument.format(**words) for argument in BAD[name]])
    assert (status, out) == (2, [])
    assert len(err) == 1
    assert err[0].startswith("error: ")
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in bad_folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("flag", ["--duration=0", "--fps=-1", "--fps=nan", "--seeds=1", "--seeds=1,b", "--smoothing=x"])
def test_wrong_flags_are_one_line(call, plain_file, flag):
    status, _, err = call("interpolate", plain_file, flag)
    assert (status, len(err)) == (2, 1)
    name, value = flag.split("=")
    assert err[0].startswith(f"error: argument {name}: {value.split(',')[-1]}: ")


def test_the_folders_of_an_output_are_made(made, plain_file, tmp_path):
    made("grid", plain_file, "new/er/a.png", "--grid_size=1x1", "--save_latents=other/l.npy")
    assert (tmp_path / "new/er/a.png").is_file()
    assert (tmp_path / "other/l.npy").is_file()


def test_overwriting_replaces(made, plain_file, tmp_path):
    for flags in (["--num=4"], ["--num=2", "--format=webp", "--overwrite"]):
        made("images", plain_file, "out", *flags)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000.webp", "000001.webp"]
    made("images", plain_file, "out", "--num=3", "--format=records", "--overwrite")
    assert RecordDataset("out").count == 3
    (tmp_path / "grid.png").write_text("old")
    made("grid", plain_file, "grid.png", "--grid_size=1x1", "--overwrite")
    assert pixels("grid.png").shape == (64, 64, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grid.png", "out"]


@pytest.mark.parametrize("form", ["png", "records"])
@pytest.mark.parametrize("existing", [False, True])
def test_interrupted_images_leave_what_was_there(call, made, plain_file, tmp_path, monkeypatch, form, existing):
    if existing:
        made("images", plain_file, "out", "--num=2")
    whole = sample.Sampler.stream

    def broken(self, latents, labels):
        yield from whole(self, latents[:3], labels[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(sample.Sampler, "stream", broken)
    status, out, err = call("images", plain_file, "out", f"--format={form}", "--overwrite")
    assert (status, out, err) == (130, [], ["error: interrupted; nothing was written"])
    expected = ["out"] if existing else []
    assert [path.name for path in tmp_path.iterdir()] == expected
    if existing:
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000.png", "000001.png"]
