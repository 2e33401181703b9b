"""Which samples of a minibatch each process reads, and each of its replicas takes."""

import types

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.layers.minibatch import deal
from pgan_tf.training.feed import Feed


def feed(replicas: int, minibatch: int, own: range | None = None, together: int = 4) -> Feed:
    state = types.SimpleNamespace(
        generator=types.SimpleNamespace(variable_dtype="float32"),
        discriminator=types.SimpleNamespace(together=together),
    )
    return Feed(Config(), state, replicas, minibatch, own)


@pytest.mark.parametrize(("processes", "local", "minibatch", "together"), [(2, 1, 16, 4), (2, 2, 16, 4), (4, 1, 8, 4)])
def test_processes_read_all_of_a_minibatch_together_and_their_replicas_take_what_is_dealt(
    processes, local, minibatch, together
):
    replicas, samples = processes * local, np.arange(minibatch) * 10
    feeds = [feed(replicas, minibatch, range(p * local, (p + 1) * local), together) for p in range(processes)]
    assert sorted(np.concatenate([each.read for each in feeds])) == list(range(minibatch))
    for replica in range(replicas):
        each = feeds[replica // local]
        taken = samples[each.read][each.places[replica]]
        np.testing.assert_array_equal(taken, samples[deal(minibatch, replicas, together)[replica]])


def test_one_process_reads_all():
    whole = feed(2, 16)
    assert list(whole.read) == list(range(16))
    np.testing.assert_array_equal(whole.places, whole.shares)
