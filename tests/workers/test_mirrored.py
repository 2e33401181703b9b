"""What the strategy over several workers is made with; tests/training/test_workers.py has runs of it."""

import pytest
from tensorflow.python.distribute import collective_all_reduce_strategy
from tensorflow.python.eager import context

from pgan_tf.workers import mirrored

CONFIGURE, ABORT = "configure_coordination_service", "abort_collective_ops"
CHANGES = [  # (of what, its name, what it is then, None = not there; a word of the line)
    (context, "context", None, "'context'"),
    (context.Context, ABORT, None, ABORT),
    (context.Context, CONFIGURE, None, CONFIGURE),
    (context.Context, CONFIGURE, lambda self: None, "argument"),
    (collective_all_reduce_strategy, "coordination_config_pb2", None, "coordination_config_pb2"),
]


@pytest.mark.parametrize(("owner", "name", "other", "word"), CHANGES)
def test_a_tensorflow_without_its_internals_is_named(owner, name, other, word, monkeypatch):
    monkeypatch.setattr(context.Context, CONFIGURE, lambda self, *_, **__: None)
    if other:
        monkeypatch.setattr(owner, name, other)
    else:
        monkeypatch.delattr(owner, name)
    with pytest.raises(mirrored.NoStrategy, match=word) as caught:
        mirrored.internals(2)
    said = str(caught.value)
    assert said.startswith(f"TensorFlow {mirrored.tf.__version__} lacks something that --strategy=multi_worker")
    assert "\n" not in said


def test_they_are_given_what_they_are_for(monkeypatch):
    given = []
    monkeypatch.setattr(context.Context, CONFIGURE, lambda self, *_, **options: given.append(options))
    monkeypatch.setattr(context.Context, ABORT, lambda self, *words: given.append(words))
    mirrored.internals(3)("the other is gone")
    options, words = given
    (job,) = options.pop("coordinated_jobs")
    assert (job.name, job.num_tasks) == ("worker", 3)
    assert list(options.values()) == [mirrored.HEARTBEAT_MS, mirrored.REGISTER_MS]
    assert words == (mirrored.tf.errors.UNAVAILABLE, "the other is gone")
