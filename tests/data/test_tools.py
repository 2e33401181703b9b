"""display, extract, compare, verify, and the command line around them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgan_tf import files, grids
from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.tools import compare, display, extract
from pgan_tf.data.verify import verify
from pgan_tf.programs import start

TOOL = Path(__file__).resolve().parents[2] / "dataset_tool.py"


def copy_with(small_set, folder, change=lambda images: images, labels=None) -> Path:
    """The small set again, written anew after `change`."""
    images = change(RecordDataset(small_set).read(16, np.arange(10)))
    with DatasetWriter(folder, 16, 3) as writer:
        for image in images:
            writer.add(image)
        if labels is not None:
            writer.add_labels(labels)
    return folder


def test_grid_reads_like_text():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    grid = grids.grid(images, columns=3)
    assert grid.shape == (4, 6, 1)
    assert grid[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 255]]


def test_display(small_set, tmp_path):
    dataset = RecordDataset(small_set)
    (path,) = display(small_set, tmp_path / "new" / "grid.png", resolution=4, num=3)
    grid = np.asarray(Image.open(path))
    assert grid.shape == (64, 64, 3)  # 2x2 tiles of 4x4, eight times enlarged
    np.testing.assert_array_equal(grid[:32:8, 32::8], dataset.read(4, np.array([1]))[0])
    for bad, words in (
        ({"num": 0}, "--num=0"),
        ({"resolution": 5}, "no resolution 5"),
        ({"output": "a.jpg"}, "a.jpg"),
        ({"html": "a.png"}, r"--html=a\.png"),
    ):
        with pytest.raises(DataError, match=words):
            display(small_set, **{"output": tmp_path / "no.png", **bad})


def test_extract_and_create_are_inverse(small_set, tmp_path):
    assert extract(small_set, tmp_path / "png") == 10
    assert max(p.name for p in (tmp_path / "png").glob("*.png")) == "img00000009.png"
    np.testing.assert_array_equal(np.load(tmp_path / "png" / "labels.npy"), RecordDataset(small_set).labels)
    create_from_images(tmp_path / "again", tmp_path / "png", Options(output=Output(shuffle=False)))
    for resolution in (4, 8, 16):
        name = f"-r{resolution.bit_length() - 1:02d}.tfrecords"
        assert (tmp_path / "again" / f"again{name}").read_bytes() == (small_set / f"small{name}").read_bytes()


def test_extract_to_a_zip_gives_the_same_files(small_set, tmp_path):
    extract(small_set, tmp_path / "png")
    assert extract(small_set, tmp_path / "new" / "all.zip") == 10
    with zipfile.ZipFile(tmp_path / "new" / "all.zip") as archive:
        names = {path.name for path in (tmp_path / "png").iterdir()}
        assert set(archive.namelist()) == names
        assert all(archive.read(name) == (tmp_path / "png" / name).read_bytes() for name in names)
    with pytest.raises(DataError, match=r"all\.zip: exists already"):
        extract(small_set, tmp_path / "new" / "all.zip")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["all.zip"]


def test_extract_grey(golden_folder, tmp_path):
    extract(golden_folder / "nv_dataset_gray", tmp_path / "png")
    image = Image.open(tmp_path / "png" / "img00000000.png")
    assert (image.mode, image.size) == ("L", (32, 32))
    with pytest.raises(DataError, match="exists already"):
        extract(golden_folder / "nv_dataset_gray", tmp_path / "png")


def test_compare(small_set, tmp_path):
    labels = RecordDataset(small_set).labels
    same = compare(small_set, copy_with(small_set, tmp_path / "same", labels=labels))
    assert same.equal
    assert same.psnr == np.inf

    def change(images):
        images[3, 0, 0, 0] ^= 1
        images[7] = 255 - images[7]
        return images

    other = compare(small_set, copy_with(small_set, tmp_path / "other", change, labels=labels))
    assert (other.counts, other.differing, other.first_differing, other.same_labels) == ((10, 10), 2, 3, True)
    seventh = RecordDataset(small_set).read(16, np.array([7])).astype(int)
    assert other.worst == np.abs(255 - 2 * seventh).max()
    assert other.worst_image == 7
    squares = ((255 - 2 * seventh) ** 2).sum() + 1
    assert other.psnr == pytest.approx(10 * np.log10(255**2 * 10 * 16 * 16 * 3 / squares), rel=1e-12)
    assert "2 of the first 10 differ" in str(other)
    assert f"PSNR {other.psnr:.2f} dB" in str(other)
    one = compare(small_set, copy_with(small_set, tmp_path / "one", lambda images: images ^ 1, labels=labels))
    assert (one.differing, one.worst) == (10, 1)
    assert one.psnr == pytest.approx(20 * np.log10(255))  # every value is off by one
    shorter = compare(small_set, copy_with(small_set, tmp_path / "shorter", lambda images: images[:8]))
    assert (shorter.counts, shorter.differing, shorter.same_labels, shorter.equal) == ((10, 8), 0, False, False)


def test_compare_needs_the_same_kind(small_set, golden_folder):
    with pytest.raises(DataError, match=r"16x16x3 images, .* 32x32x3"):
        compare(small_set, golden_folder / "nv_dataset")


def record_length(resolution_log2: int, small_set) -> int:
    return (small_set / f"small-r{resolution_log2:02d}.tfrecords").stat().st_size // 10


@pytest.mark.parametrize(
    ("place", "words"),
    [(0, "CRC of the length"), (9, "CRC of the length"), (40, "CRC of the data"), (-1, "CRC of the data")],
)
@pytest.mark.parametrize("index", [0, 6, 9])
def test_verify_finds_a_flipped_bit(small_set, index, place, words):
    length = record_length(3, small_set)
    path = small_set / "small-r03.tfrecords"
    content = bytearray(path.read_bytes())
    content[index * length + place % length] ^= 4
    path.write_bytes(content)
    (problem,) = verify(small_set).problems
    assert f"small-r03.tfrecords: record {index} at byte {index * length}: " in problem
    assert words in problem


def test_verify_finds_truncation_and_goes_on(small_set):
    for log2, cut in ((4, 1), (3, record_length(3, small_set) + 5)):
        path = small_set / f"small-r{log2:02d}.tfrecords"
        path.write_bytes(path.read_bytes()[:-cut])
    problems = verify(small_set).problems
    assert len(problems) == 2
    assert "small-r03.tfrecords: record 8 at byte" in problems[0]
    assert "small-r04.tfrecords: record 9 at byte" in problems[1]
    assert "truncated" in problems[1]


@pytest.mark.parametrize("log2", [2, 3])
def test_verify_finds_a_resolution_that_is_not_there(small_set, log2):
    (small_set / f"small-r{log2:02d}.tfrecords").unlink()
    (problem,) = verify(small_set).problems
    assert problem.startswith(f"{small_set}: lacks resolution {2**log2}; complete it: dataset_tool.py create_from_tf")


def test_verify_finds_disagreement(small_set, golden_folder):
    path = small_set / "small-r02.tfrecords"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 10 * 7])
    assert "7 records, but small-r04.tfrecords has 10" in verify(small_set).problems[0]
    grey = (golden_folder / "nv_dataset_gray" / "nv_dataset_gray-r02.tfrecords").read_bytes()
    path.write_bytes(whole[: len(whole) // 10 * 7] + grey[: len(grey) // 4])
    assert "record 7 at byte" in verify(small_set).problems[0]
    assert "[1, 4, 4]" in verify(small_set).problems[0]
    path.write_bytes(whole)
    with open(small_set / "small-rxx.labels", "wb") as file:
        np.save(file, np.full((10, 3), np.nan, np.float32))
    assert "labels are not all finite numbers (row 0)" in verify(small_set).problems[0]


def test_verify_and_compare_read_shards(small_set, tmp_path):
    dataset = RecordDataset(small_set)
    with DatasetWriter(tmp_path / "cut", 16, 3, shards=3, total=10) as writer:
        for image in dataset.read(16, np.arange(10)):
            writer.add(image)
        writer.add_labels(dataset.labels)
    assert compare(small_set, tmp_path / "cut").equal
    sound = verify(tmp_path / "cut", cascade=True)
    assert (sound.problems, sound.counts) == ([], {4: 10, 8: 10, 16: 10})
    path = tmp_path / "cut" / "cut-r03-00001-of-00003.tfrecords"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    (problem,) = verify(tmp_path / "cut").problems
    assert f"{path.name}: record 2 at byte" in problem
    path.write_bytes(content[: len(content) // 3])
    (problem,) = verify(tmp_path / "cut").problems
    assert "cut-r03-*-of-00003.tfrecords: 8 records, but cut-r04-*-of-00003.tfrecords has 10" in problem


def test_verify_cascade(small_set, tmp_path):
    assert verify(small_set, cascade=True).problems == []
    copy_with(small_set, tmp_path / "other" / "small", lambda images: images[[0, 1, 2, 4, 3, 5, 6, 7, 8, 9]])
    (tmp_path / "other" / "small" / "small-r03.tfrecords").replace(small_set / "small-r03.tfrecords")
    assert verify(small_set).problems == []
    (problem,) = verify(small_set, cascade=True).problems
    assert "small-r03.tfrecords: record 3 is not" in problem


# ---- the command line ------------------------------------------------------------------------------------------------


def test_commands(small_set, golden_folder, tmp_path, capsys):
    def run(*words) -> int:
        return start.run("dataset_tool", [str(word) for word in words])

    assert run("extract", small_set, tmp_path / "png") == 0
    flags = [
        "--resolution=8",
        "--shuffle=0",
        "--mode=grey",
        "--background=#808080",
        "--fit=pad",
        "--workers=1",
        "--strict",
    ]
    assert run("create_from_images", tmp_path / "grey", tmp_path / "png", *flags) == 0
    assert "10 images, 8x8 grey" in capsys.readouterr().out
    assert run("verify", tmp_path / "grey", "--cascade") == 0
    assert run("display", tmp_path / "grey", f"--output={tmp_path / 'g.png'}", "--num=4", "--resolution=4") == 0
    assert run("compare", small_set, small_set) == 0
    assert run("compare", golden_folder / "nv_dataset", small_set) == 2
    output = capsys.readouterr()
    assert "equal: 10 images" in output.out
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    path = small_set / "small-r02.tfrecords"
    path.write_bytes(path.read_bytes()[:-1])
    assert run("verify", small_set) == 1
    assert "record 9" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "absent"],
        ["display", "absent"],
        ["extract", "absent", "out"],
        ["create_from_images", "out", "absent"],
        ["create_from_images", "out", ".", "--resolution=100"],
        ["create_from_images", "out", ".", "--background=nothing"],
        ["create_mnist", "out", "absent"],
        ["create_emoji", "out", "absent"],
    ],
)
def test_bad_input_is_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a.png")
    assert start.run("dataset_tool", words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not Path("out").exists()


def test_no_space_left_is_one_line(small_set, tmp_path, monkeypatch, capsys):
    os.symlink("/dev/full", tmp_path / "full")
    monkeypatch.setattr(files, "temporary_name", lambda path: tmp_path / "full")
    assert start.run("dataset_tool", ["display", str(small_set), f"--output={tmp_path / 'g.png'}"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert not (tmp_path / "g.png").exists()


def test_names_that_are_no_text_are_escaped(tmp_path, capsys):
    """Old memory cards have names in another encoding: bytes that are no UTF-8."""
    for folder in ("zoo", os.fsdecode(b"K\xfcste")):
        (tmp_path / "in" / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "in" / folder / "a.png")
        (tmp_path / "in" / folder / os.fsdecode(b"M\xf6we.png")).write_text("x")
    words = ["create_from_images", str(tmp_path / "out"), str(tmp_path / "in"), "--labels=folders", "--workers=1"]
    assert start.run("dataset_tool", words) == 0
    output = capsys.readouterr().out
    assert "zoo/M\\udcf6we.png: cannot identify image file" in output
    assert "2 classes: K\\udcfcste, zoo" in output
    assert (tmp_path / "out" / "out-labels.txt").read_text() == "K\\udcfcste\nzoo\n"


def test_help_and_commands_import_no_tensorflow(small_set):
    code = "import sys, dataset_tool; from pgan_tf.programs import start; "
    code += "assert start.run('dataset_tool', sys.argv[1:]) == 0; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    for words in (["verify", str(small_set)], ["compare", str(small_set), str(small_set)]):
        subprocess.run([sys.executable, "-c", code, *words], check=True, cwd=TOOL.parent, capture_output=True)
    code = "import sys, dataset_tool; from pgan_tf.programs.dataset_tool import parser; parser().format_help(); "
    code += "assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TOOL.parent)


def test_a_kill_leaves_nothing(tmp_path):
    """A tool that is stopped while it writes: no data set, no temporary folder, one line."""
    noise = np.random.RandomState(0).randint(0, 256, (256, 256, 3)).astype(np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(noise).save(tmp_path / "in" / "0.png")
    for i in range(1, 2000):
        os.link(tmp_path / "in" / "0.png", tmp_path / "in" / f"{i}.png")
    command = [
        sys.executable,
        str(TOOL),
        "create_from_images",
        str(tmp_path / "out"),
        str(tmp_path / "in"),
        "--workers=2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while process.poll() is None and not list(tmp_path.glob(".tmp*-out/*")):
        pass
    process.send_signal(signal.SIGTERM)
    output, error = process.communicate(timeout=30)
    assert (process.returncode, output, error) == (130, "", "error: interrupted; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
