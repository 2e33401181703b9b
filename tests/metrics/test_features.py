"""Extraction is a function of the images alone, not of how they come; a wrong set is refused in one line."""

import io
import sys

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import progress
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Activations, Extractor
from pgan_tf.metrics.features import extract

IMAGES = np.random.RandomState(0).randint(0, 256, (23, 8, 6, 3)).astype(np.uint8)
TRACES = []


def compute(images):
    TRACES.append(images.shape)
    values = tf.cast(images, tf.float32)
    return Activations(tf.reduce_mean(values, axis=[1, 2]), tf.math.log(tf.reduce_max(values, axis=[1, 2, 3]))[:, None])


FAKE = Extractor("fake", "00", 3, 1, compute)


def run(images, **options):
    return extract(FAKE, images, progress=False, **options)


def refusal(images, **options) -> str:
    with pytest.raises(MetricError) as caught:
        run(images, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_types_and_order():
    features, logits = run(IMAGES)
    assert features.dtype == logits.dtype == np.float32
    np.testing.assert_allclose(features, IMAGES.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(logits[:, 0], np.log(IMAGES.max((1, 2, 3)).astype(np.float32)), rtol=1e-6)


@pytest.mark.determinism
@pytest.mark.parametrize("batch_size", [1, 4, 23, 64])
@pytest.mark.parametrize("sizes", [[23], [1] * 23, [5, 0, 11, 7]])
def test_batches_do_not_matter(batch_size, sizes):
    parts = np.split(IMAGES, np.cumsum(sizes)[:-1])
    found = run(iter(parts), batch_size=batch_size)
    for one, other in zip(found, run(IMAGES), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.determinism
def test_one_trace_whatever_the_last_batch_and_the_next_call():
    TRACES.clear()
    images = IMAGES[:, :5]  # a size that no other test has
    for count in (23, 7, 10):
        run(images[:count], batch_size=10)
    assert set(TRACES) == {(10, 5, 6, 3)}
    assert len(TRACES) == 1


def test_a_stream_is_read_no_further_than_needed():
    taken = []

    def stream():
        for i in range(100):
            taken.append(i)
            yield IMAGES[:4]

    assert len(run(stream(), count=10, batch_size=4).features) == 10
    assert len(taken) == 3


def test_fewer_images_than_asked():
    assert "only 23 images, 24 needed" in refusal(IMAGES, count=24)
    assert "only 0 images" in refusal(IMAGES[:0])
    assert "only 0 images" in refusal([])


def test_activations_that_are_not_finite_name_the_image():
    images = IMAGES.copy()
    images[17] = 0  # log 0
    assert "fakes: fake gives values that are not finite for image 17;" in refusal(images, batch_size=5, what="fakes")


WRONG = {
    "float": IMAGES / 255.0,
    "no batch axis": IMAGES[0],
    "four channels": np.concatenate([IMAGES, IMAGES[..., :1]], axis=3),
    "two sizes": [IMAGES, IMAGES[:, :4]],
    "grey and colour": [IMAGES, IMAGES[..., :1]],
}


@pytest.mark.parametrize("images", WRONG.values(), ids=WRONG.keys())
def test_wrong_images(images):
    refusal(images)


def test_float32_is_exact_during_it_and_as_before_after_it():
    exact = []
    spy = Extractor("spy", "00", 3, 1, lambda x: exact.append(_tf32()) or compute(x))
    before = _tf32()
    extract(spy, IMAGES, progress=False)
    assert exact == [False]
    assert _tf32() is before is True


def _tf32() -> bool:
    return tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.determinism
def test_two_devices_give_what_one_gives(fresh_process):
    script = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pgan_tf.metrics.extractors.base import Activations, Extractor
from pgan_tf.metrics.features import extract
images = np.random.RandomState(0).randint(0, 256, (23, 8, 6, 3)).astype(np.uint8)
places = set()
def load():
    weights = tf.Variable(tf.ones([6, 2]), trainable=False)
    def compute(x):
        places.add((x.shape[0], tf.zeros([]).device[-5:]))
        features = tf.reduce_mean(tf.cast(x, tf.float32), axis=[1, 3])
        return Activations(features, features @ weights)
    return Extractor("fake", "00", 6, 2, compute)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one = extract(load(), images, progress=False)
places.clear()
outside = extract(load(), images, strategy=strategy, batch_size=9, progress=False)
with strategy.scope():
    inside = extract(load(), images, batch_size=9, progress=False)
for other in (outside, inside):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
print("places", sorted(places))
"""
    assert "places [(5, 'CPU:0'), (5, 'CPU:1')]" in fresh_process(script)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_for_a_person(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    extract(FAKE, IMAGES, count=20, what="reals")
    assert "reals" in sys.stderr.getvalue()
    assert "20 images" in sys.stderr.getvalue()


def test_lines_for_a_file(monkeypatch, capfd):
    extract(FAKE, IMAGES, what="reals")
    assert capfd.readouterr().err == ""  # too short for a line
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    extract(FAKE, IMAGES, count=20, what="reals", batch_size=10)
    first, last = capfd.readouterr().err.splitlines()
    assert first.startswith("reals: 10 of 20 images, ")
    assert first.endswith("to go")
    assert last.startswith("reals: 20 of 20 images, ")
