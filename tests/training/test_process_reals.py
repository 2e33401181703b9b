"""What becomes of the real images before the discriminator sees them: the original's numbers, mirrors."""

import numpy as np
import pytest
import reference
import tensorflow as tf
from training.rounds import make_batch, make_step

from pgan_tf.stages import Fade, Size, Stage, layer_stage
from pgan_tf.training.feed import Samples, process_reals


@pytest.mark.parametrize("lod", ["0", "0.35", "0.999", "1", "1.6", "2", "2.25"])
@pytest.mark.parametrize("size", [4, 8, 16])
def test_process_reals_is_the_originals(size, lod, golden):
    """Ours stays at the stage's resolution; the original's is then enlarged to the final one."""
    data, level = golden("process_reals.npz"), float(lod)
    images = tf.constant(reference.nhwc(data[f"in_{size}"]))
    stage = Stage(Size(size, size, 0), Size(size // 2, size // 2, 0) if level % 1 else None)
    ours = process_reals(images, None, stage, 1 - level % 1).numpy()
    theirs = reference.nhwc(data[f"out_{size}_lod{lod}"])
    assert reference.deviation(reference.enlarge(ours, 2 ** int(level)), theirs) < 1e-6


def test_mirrored_reals():
    images = tf.constant(np.random.RandomState(0).randint(0, 256, [3, 4, 4, 1]).astype(np.uint8))
    mirrored = process_reals(images, tf.constant([True, False, True]), layer_stage(4), 1.0).numpy()
    plain = process_reals(images, None, layer_stage(4), 1.0).numpy()
    np.testing.assert_array_equal(mirrored[0], plain[0, :, ::-1])
    np.testing.assert_array_equal(mirrored[1], plain[1])
    np.testing.assert_array_equal(mirrored[2], plain[2, :, ::-1])


def test_range_of_reals():
    images = tf.constant(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1).repeat(4, 1).repeat(4, 2))
    np.testing.assert_allclose(process_reals(images, None, layer_stage(4), 1.0).numpy()[:, 0, 0, 0], [-1, 1])


def discriminator_inputs(step, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What D step `number` computes its gradients of: reals [N,R,R,C], labels [N,L], mixing [N]."""
    seen = []

    def record(samples: Samples, *_):
        seen.extend(x.numpy() for x in (samples.reals, samples.labels, samples.mixing))
        return [], {}

    step._d_gradients = record
    step.d_replica(make_batch(step), 0, number, Fade(), 1.0)
    return tuple(seen)


def test_mirror_augment_mirrors_half_of_the_reals_and_none_of_the_labels():
    """Each real is itself or its mirror image by a coin of its own, tossed anew at each step; off, none is mirrored."""
    options = dict(labels=3, minibatch=64)
    plain, labels, _ = discriminator_inputs(make_step(**options), 0)
    step, choices = make_step(**options, mirror_augment=True), []
    for number in (0, 1):
        reals, their_labels, mixing = discriminator_inputs(step, number)
        kept = (reals == plain).all((1, 2, 3))  # [N]
        mirrored = (reals == plain[:, :, ::-1]).all((1, 2, 3))
        np.testing.assert_array_equal(kept, ~mirrored)
        np.testing.assert_array_equal(their_labels, labels)
        assert 20 < mirrored.sum() < 44
        assert 20 < (mirrored == (mixing < 0.5)).sum() < 44  # and it has nothing to do with the penalty's points
        choices.append(mirrored)
    assert 20 < (choices[0] == choices[1]).sum() < 44
    np.testing.assert_array_equal(labels, make_batch(step).labels[0])


@pytest.mark.parametrize("stage", [layer_stage(4), layer_stage(8, True)])
def test_points_are_learnt_as_they_are(stage):
    points = np.random.default_rng(0).normal(0, 9, (5, 2)).astype(np.float32)
    processed = process_reals(tf.constant(points), tf.constant([True] * 5), stage, 0.3, tf.float64)
    assert processed.dtype == tf.float64
    np.testing.assert_array_equal(processed.numpy(), points)
