"""The digit classifier: one command makes it, it reads digits of every size and colour, and refuses what it cannot."""

import gzip
import hashlib
import os
import re
import struct

import keras
import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import train_mnist_classifier
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import mnist_classifier
from pgan_tf.metrics.mnist_files import Digits, read_digits

# The command as users type it, only with fewer epochs; and a second time, to the file given last.
SHORT = """
import sys
from pgan_tf.metrics import train_mnist_classifier as command
command.MAX_EPOCHS = 3
status = command.main(sys.argv[1:-1])
sys.exit(status or command.main([sys.argv[1], "--output", sys.argv[-1]]))
"""


def write_idx(path, array):
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_folder(folder, digits: Digits, mark="-"):
    write_idx(folder / f"train-images{mark}idx3-ubyte.gz", digits.images[..., 0])
    write_idx(folder / f"train-labels{mark}idx1-ubyte", digits.labels.astype(np.uint8))
    write_idx(folder / f"t10k-images{mark}idx3-ubyte", digits.test_images[..., 0])
    write_idx(folder / f"t10k-labels{mark}idx1-ubyte.gz", digits.test_labels.astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def embedded() -> Digits:
    return read_digits()


@pytest.fixture(scope="module")
def small(embedded) -> Digits:
    """900 training digits, 250 for the test."""
    return embedded._replace(
        images=embedded.images[::5], labels=embedded.labels[::5],
        test_images=embedded.test_images[::2], test_labels=embedded.test_labels[::2],
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small, fresh_process):
    """(weights file, what the command printed, weights file of a second run) of short trainings."""
    folder = tmp_path_factory.mktemp("mnist")
    output, again = folder / "new" / "classifier.npz", folder / "again.npz"
    return output, fresh_process(SHORT, write_folder(folder, small), "--output", output, again), again


@pytest.fixture(scope="module")
def extractor(trained):
    return mnist_classifier.load(trained[0])


@pytest.fixture
def untrained(tmp_path):
    """A weights file of random weights."""
    keras.utils.set_random_seed(1)
    path = tmp_path / "untrained.npz"
    mnist_classifier.write(path, mnist_classifier.build(), {"accuracy": 0.1})
    return path


# ---- the command -----------------------------------------------------------------------------------------------------


def test_command_reports_what_it_wrote(trained, extractor, small):
    path, printed, _ = trained
    saved = mnist_classifier.read(path)
    right = np.mean(mnist_classifier.classify(small.test_images, extractor) == small.test_labels)
    assert saved.header["accuracy"] == right
    assert right > 0.85  # 900 digits are enough for that
    assert f"accuracy: {right:.4f} of {len(small.test_labels)} test digits" in printed
    assert saved.header["data"] == "IDX files, 900 training and 250 test digits"
    assert 5 < saved.header["inception_score"][0] < 10
    assert saved.sha256 == extractor.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"sha256 {saved.sha256}" in printed
    assert len(re.findall(r"^epoch \d of 3: loss", printed, re.MULTILINE)) == 2 * 3
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # no temporary file left


@pytest.mark.determinism
def test_command_run_twice_makes_the_same_bytes(trained):
    assert trained[2].read_bytes() == trained[0].read_bytes()


def test_command_refuses_in_one_line(capsys, tmp_path):
    """Before it trains: it returns at once, and this process keeps its random state."""
    assert train_mnist_classifier.main(["--output", str(tmp_path)]) == 2
    (tmp_path / "file").touch()
    assert train_mnist_classifier.main(["--output", str(tmp_path / "file" / "weights.npz")]) == 2
    assert train_mnist_classifier.main([str(tmp_path), "--output", str(tmp_path / "weights.npz")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: ") for line in lines)


def test_network_has_the_published_layers():
    model = mnist_classifier.build()
    weights = {name: tuple(v.shape) for name, v in mnist_classifier._variables(model).items()}
    assert weights == {
        "conv1/kernel": (5, 5, 1, 32),
        "conv1/bias": (32,),
        "conv2/kernel": (5, 5, 32, 64),
        "conv2/bias": (64,),
        "dense1/kernel": (7 * 7 * 64, 1024),
        "dense1/bias": (1024,),
        "dense2/kernel": (1024, 10),
        "dense2/bias": (10,),
    }


def test_embedded_digits_are_split_evenly(embedded):
    assert embedded.images.shape == (4500, 28, 28, 1)
    assert embedded.test_images.shape == (500, 28, 28, 1)
    assert (np.bincount(embedded.labels) == 450).all()
    assert (np.bincount(embedded.test_labels) == 50).all()


# ---- the extractor ---------------------------------------------------------------------------------------------------


def test_logits_are_the_last_layer_on_the_features(extractor, trained, small):
    """By the file's own numbers: logits = features x kernel + bias, features after ReLU and without dropout."""
    arrays = mnist_classifier.read(trained[0]).arrays
    features, logits = extractor.compute(tf.constant(small.test_images[:40]))
    assert features.shape == (40, extractor.features)
    assert logits.shape == (40, extractor.classes)
    assert features.numpy().min() == 0
    expected = features.numpy().astype(np.float64) @ arrays["dense2/kernel"] + arrays["dense2/bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-5 * np.abs(expected).max())


def test_pixels_become_0_to_1():
    images = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1) * np.ones([1, 28, 28, 1], np.uint8)
    np.testing.assert_allclose(mnist_classifier.prepare(tf.constant(images))[:, 0, 0, 0], [0, 0.2, 1], atol=1e-7)


@pytest.mark.invariance
def test_border_of_2_and_equal_colours_change_nothing(small):
    digits = small.test_images
    expected = mnist_classifier.prepare(tf.constant(digits)).numpy()
    padded = np.pad(digits, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=77)  # what is cut is not looked at
    np.testing.assert_array_equal(mnist_classifier.prepare(tf.constant(padded)), expected)
    np.testing.assert_allclose(mnist_classifier.prepare(tf.constant(np.repeat(digits, 3, axis=3))), expected, atol=1e-7)


def test_colour_is_the_mean_of_the_channels():
    images = np.full([1, 28, 28, 3], [30, 60, 120], np.uint8)
    np.testing.assert_allclose(mnist_classifier.prepare(tf.constant(images)), 70 / 255, atol=1e-7)


@pytest.mark.parametrize(("border", "factor"), [(0, 2), (0, 3), (2, 2), (2, 4)])
def test_shrinking_is_the_mean_over_each_pixel(border, factor):
    """So a picture enlarged by repeating its pixels comes back as it was; the border is cut at any power of two."""
    side = (28 + 2 * border) * factor
    images = np.random.RandomState(1).randint(256, size=[3, side, side, 1]).astype(np.uint8)
    means = images.reshape(3, side // factor, factor, side // factor, factor, 1).mean(axis=(2, 4)) / 255
    means = means[:, border : border + 28, border : border + 28]  # [3,28,28,1]
    np.testing.assert_allclose(mnist_classifier.prepare(tf.constant(images)), means, atol=1e-6)


def test_halved_digits_keep_their_place(small):
    """16x16 of a 32x32 picture is resized and cut: the centre of mass stays within half a pixel."""
    digits = small.test_images[::5]
    padded = np.pad(digits, ((0, 0), (2, 2), (2, 2), (0, 0)))
    means = padded.reshape(-1, 16, 2, 16, 2, 1).mean(axis=(2, 4)).round().astype(np.uint8)
    ours, theirs = (mnist_classifier.prepare(tf.constant(x)).numpy()[..., 0] for x in (means, digits))
    for axis in (1, 2):
        place = [(x.sum(axis=axis) @ np.arange(28)) / x.sum(axis=(1, 2)) for x in (ours, theirs)]
        assert np.abs(place[0] - place[1]).max() < 0.5


@pytest.mark.determinism
def test_batches_and_global_policies_change_nothing(extractor, trained, small):
    """1,000 images are two batches; another user's mixed precision does not reach the network."""
    images = np.concatenate([small.test_images, small.images[:751]])
    expected = mnist_classifier.logits(images[::-1], extractor)[::-1]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = mnist_classifier.load(trained[0])
    finally:
        keras.config.set_dtype_policy(policy)
    logits = mnist_classifier.logits(images, other)
    assert logits.shape == (1001, 10)
    np.testing.assert_allclose(logits, expected, atol=1e-5 * np.abs(expected).max())


def test_classify_reads_stacked_channels_one_by_one(extractor, small, trained, monkeypatch):
    monkeypatch.setenv(mnist_classifier.ENVIRONMENT, str(trained[0]))
    digits = mnist_classifier.classify(small.test_images[:240], extractor)
    stacked = small.test_images[:240, :, :, 0].reshape(3, 80, 28, 28).transpose(1, 2, 3, 0)  # [80,28,28,3]
    channels = [mnist_classifier.classify(stacked[..., c : c + 1]) for c in range(3)]
    assert digits.dtype == np.int64
    np.testing.assert_array_equal(np.concatenate(channels), digits)


# ---- where the weights are, and refusals -----------------------------------------------------------------------------


def test_default_place(monkeypatch, tmp_path):
    monkeypatch.delenv(mnist_classifier.ENVIRONMENT, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if os.name == "posix":
        assert mnist_classifier.default_path() == tmp_path / ".cache" / "pgan_tf" / "mnist-classifier.npz"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert mnist_classifier.default_path() == tmp_path / "x" / "pgan_tf" / "mnist-classifier.npz"
    monkeypatch.setenv(mnist_classifier.ENVIRONMENT, str(tmp_path / "y"))
    assert mnist_classifier.default_path() == tmp_path / "y"


def refusal(action, *arguments) -> str:
    with pytest.raises(MetricError) as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_weights_name_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv(mnist_classifier.ENVIRONMENT, str(tmp_path / "none.npz"))
    message = refusal(mnist_classifier.load)
    assert "none.npz" in message
    assert "python -m pgan_tf.metrics.train_mnist_classifier" in message


def test_written_file_is_read_back_and_replaced_whole(untrained, monkeypatch):
    before = untrained.read_bytes()
    assert mnist_classifier.read(untrained).header == {"accuracy": 0.1}
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        mnist_classifier.write(untrained, mnist_classifier.build(), {})
    assert untrained.read_bytes() == before
    assert list(untrained.parent.iterdir()) == [untrained]


@pytest.mark.parametrize("content", [b"", b"weights", b"\x93NUMPY", b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert "make them again" in refusal(mnist_classifier.load, tmp_path / "file")


def test_damaged_files_are_refused(untrained):
    content = bytearray(untrained.read_bytes())
    untrained.write_bytes(content[: len(content) // 2])
    assert "damaged" in refusal(mnist_classifier.load, untrained)
    content[len(content) // 2] ^= 1
    untrained.write_bytes(content)
    assert "damaged" in refusal(mnist_classifier.load, untrained)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("dense2/bias", np.zeros(11, np.float32), "not those of"),
        ("other", np.zeros(1, np.float32), "not those of"),
        ("conv1/bias", np.full(32, np.nan, np.float32), "conv1/bias is not all finite"),
        ("conv1/bias", np.zeros(32), "conv1/bias is not all finite float32"),
        ("header", np.zeros(3), "damaged, or no weights"),
        ("header", np.array("[not json"), "damaged, or no weights"),
    ],
)
def test_wrong_arrays_are_refused(untrained, name, value, says):
    with np.load(untrained) as file:
        arrays = dict(file)
    arrays[name] = value
    np.savez(untrained, **arrays)
    assert says in refusal(mnist_classifier.load, untrained)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros([2, 28, 28, 1], np.float32), "float32 (None, 28, 28, 1) images; give uint8"),
        (np.zeros([2, 28, 28, 2], np.uint8), "C 1 or 3"),
        (np.zeros([2, 28, 28], np.uint8), "give uint8 [N,H,W,C]"),
        (np.zeros([2, 28, 32, 1], np.uint8), "28x32 images; give square ones"),
        (np.zeros([2, 0, 0, 1], np.uint8), "0x0 images; give square ones"),
    ],
)
def test_other_images_are_refused(images, says, untrained):
    extractor = mnist_classifier.load(untrained)
    assert says in refusal(mnist_classifier.classify, images, extractor)


@pytest.mark.parametrize("mark", ["-", "."])
def test_digit_files_come_back(tmp_path, small, mark):
    """Plain and compressed, by the published names and with a dot, as some archives have them."""
    digits = read_digits(write_folder(tmp_path, small, mark))
    for ours, theirs in zip(digits[:4], small[:4], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bad_digit_files_are_refused(tmp_path, small):
    tiny = small._replace(images=small.images[:20], labels=small.labels[:20])
    folder = write_folder(tmp_path, tiny)
    labels, images = folder / "train-labels-idx1-ubyte", folder / "t10k-images-idx3-ubyte"
    assert read_digits(folder).source == "IDX files, 20 training and 250 test digits"
    write_idx(labels, np.zeros(19, np.uint8))
    assert "as many 28x28 images as labels" in refusal(read_digits, folder)
    write_idx(labels, np.full(20, 10, np.uint8))
    assert "the digits 0 to 9" in refusal(read_digits, folder)
    labels.write_bytes(b"\0\0\x0b\1" + labels.read_bytes()[4:])
    assert "not an IDX file of unsigned bytes" in refusal(read_digits, folder)
    labels.unlink()
    assert "no file train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz" in refusal(read_digits, folder)
    write_idx(labels, tiny.labels.astype(np.uint8))
    images.write_bytes(images.read_bytes()[:-1])
    assert "do not fit its shape" in refusal(read_digits, folder)
    compressed = folder / "train-images-idx3-ubyte.gz"
    compressed.write_bytes(compressed.read_bytes()[:-100])
    assert "fetch it again" in refusal(read_digits, folder)
    assert "no file" in refusal(read_digits, folder / "none")
