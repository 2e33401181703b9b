"""Which samples of a minibatch each process reads, and each of its replicas takes."""

import types

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.layers.minibatch import deal
from pgan_tf.training.feed import Feed


def feed(replicas: int, minibatch: int, own: range | None = None, together: int = 4, microbatches: int = 1) -> Feed:
    state = types.SimpleNamespace(
        generator=types.SimpleNamespace(variable_dtype="float32"),
        discriminator=types.SimpleNamespace(together=together),
    )
    return Feed(Config(), state, replicas, minibatch, own, microbatches)


@pytest.mark.parametrize(
    ("processes", "local", "minibatch", "together", "microbatches"),
    [(2, 1, 16, 4, 1), (2, 2, 16, 4, 1), (4, 1, 8, 4, 1), (2, 1, 16, 4, 2), (2, 2, 24, 1, 3), (2, 2, 32, 4, 2)],
)
def test_processes_read_all_of_a_minibatch_together_and_their_replicas_take_what_is_dealt(
    processes, local, minibatch, together, microbatches
):
    replicas, samples = processes * local, np.arange(minibatch) * 10
    owns = [range(p * local, (p + 1) * local) for p in range(processes)]
    feeds = [feed(replicas, minibatch, own, together, microbatches) for own in owns]
    assert sorted(np.concatenate([each.read for each in feeds])) == list(range(minibatch))
    dealt = deal(minibatch, replicas * microbatches, together)
    for part in range(replicas * microbatches):  # a replica's microbatches lie side by side
        each = feeds[part // microbatches // local]
        np.testing.assert_array_equal(samples[each.read][each.places[part]], samples[dealt[part]])


def test_one_process_reads_all():
    whole = feed(2, 16)
    assert list(whole.read) == list(range(16))
    np.testing.assert_array_equal(whole.places, whole.shares)
