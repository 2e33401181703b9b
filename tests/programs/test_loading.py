"""What programs load, and in which order."""

import json

import numpy as np

from pgan_tf.data import DatasetWriter
from pgan_tf.devices import STRATEGIES

# A strategy of each kind that says whether it could still be one over several processes, and lets the program go no
# further. (TensorFlow refuses to change its threads, as it refuses new processes, once the devices have started.)
SCRIPT = """
import json, sys
from pgan_tf import devices
from pgan_tf.programs import evaluate, train

class Made(Exception):
    pass

def kind(name):
    def make():
        import tensorflow as tf
        try:
            tf.config.threading.set_inter_op_parallelism_threads(2)
        except RuntimeError:
            raise Made(name, "too late")
        raise Made(name, "in time")
    return devices.STRATEGIES[name]._replace(make=make)

devices.STRATEGIES.update({name: kind(name) for name in devices.STRATEGIES})
found = []
for program, words in json.loads(sys.argv[1]):
    try:
        {"train": train, "evaluate": evaluate}[program].main(words)
    except Made as made:
        found.append(made.args)
print(json.dumps(found))
"""

WORDS = {"multi_worker": ["--workers=127.0.0.1:2222", "--task=0"]}  # what a strategy cannot be without


def test_the_strategy_is_made_before_anything_starts_the_devices(tmp_path, fresh_process):
    with DatasetWriter(tmp_path / "set", resolution=8, channels=1) as writer:
        writer.add(np.zeros((8, 8, 1), np.uint8))
    sets = f"{tmp_path / 'set'}"
    calls = [
        *(["train", [f"--dataset={sets}", f"--strategy={name}", "--precision=auto", *WORDS.get(name, ())]]
          for name in STRATEGIES),
        ["evaluate", [f"--reals={sets}", f"--fakes={sets}"]],
    ]  # fmt: skip
    expected = [*([name, "in time"] for name in STRATEGIES), ["mirrored", "in time"]]
    assert json.loads(fresh_process(SCRIPT, json.dumps(calls)).splitlines()[-1]) == expected


def test_a_strategy_is_made_once(monkeypatch):
    from pgan_tf import devices

    made = []
    monkeypatch.setitem(
        devices.STRATEGIES, "toy", devices.Kind(lambda: made.append(1) or "it", devices.STRATEGIES["single"].share)
    )
    assert [devices.make_strategy("toy") for _ in range(2)] == ["it", "it"]
    assert made == [1]
    devices.make_strategy.cache_clear()
