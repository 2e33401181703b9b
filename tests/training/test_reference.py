"""The reference batch of a stage: the run's own first samples, and nothing is read where no norm wants one."""

import numpy as np
import pytest
from training.rounds import make_step

from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import reference


class Reals:
    """White images with the first of two labels; counts how often it is asked."""

    asked = 0

    def first(self, resolution, count):
        self.asked += 1
        return np.full([count, resolution, resolution, 3], 255, np.uint8), np.eye(2, dtype=np.float32)[[0] * count]


def make(**norms):
    return make_step(layer_stage(8, True), labels=2, reference_batch=4, **norms).state


@pytest.mark.parametrize(
    ("norms", "filled"),
    [
        ({"g_norm": "virtual_batch"}, {"generator", "ema"}),
        ({"d_norm": "virtual_batch"}, {"discriminator"}),
        ({"g_norm": "batch", "d_norm": "layer"}, set()),
        ({}, set()),
    ],
)
def test_networks_get_one_where_their_norm_wants_it(norms, filled):
    state, reals = make(**norms), Reals()
    reference.choose(state, reals)
    assert reals.asked == bool(filled)
    for name in ("generator", "ema", "discriminator"):
        network = getattr(state, name)
        assert network.has_reference == (name in filled)
        if name in filled:
            assert np.any(network.reference.samples.numpy())


def test_it_is_the_same_at_every_time_and_in_the_average():
    states = [make(g_norm="virtual_batch", d_norm="virtual_batch") for _ in range(2)]
    for state in states:
        reference.choose(state, Reals())
    one, other = (state.generator.reference.samples.numpy() for state in states)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, states[0].ema.reference.samples.numpy())
    np.testing.assert_array_equal(one[:, -2:], [[1, 0]] * 4)  # the labels
    np.testing.assert_array_equal(states[0].discriminator.reference.samples.numpy(), np.ones([4, 8, 8, 3]))
    assert np.isfinite(states[0].ema(np.ones([2, 18], np.float32), **Fade().options())).all()
