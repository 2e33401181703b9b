"""What has to be the same in all processes of a run, and what may differ."""

import importlib.metadata

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.programs import together
from pgan_tf.workers.cluster import Cluster
from pgan_tf.workers.team import difference

LAUNCH = together.Launch("a:1,b:2", 0, 10.0, "", "", False)


def dataset(folder, first: int = 0) -> str:
    with DatasetWriter(folder, resolution=4, channels=1) as writer:
        for i in range(4):
            writer.add(np.full((4, 4, 1), first + i, np.uint8))
    return str(folder)


def facts(options: dict, addresses=("a:1", "b:2"), **launch) -> dict[str, str]:
    return together.facts(Config.from_values(options), LAUNCH._replace(**launch), Cluster(addresses))


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return {"dataset": dataset(tmp_path_factory.mktemp("data") / "set")}


def test_what_may_differ_is_not_compared(options, tmp_path):
    other = {"dataset": dataset(tmp_path / "copy"), "result_dir": "elsewhere", "desc": "mine"}
    assert difference(facts(options), facts(other, task=1, wait_minutes=3.0)) == ""
    assert difference(facts(options, resume="runs/00003-a"), facts(options, resume="/mnt/00003-a/", task=1)) == ""


def test_what_must_not_differ_is_named(options, tmp_path):
    other = {"dataset": dataset(tmp_path / "other", 100)}
    ours = facts(options)
    assert difference(ours, facts(other)).startswith("the data set is 4 images of 4x4")
    assert difference(ours, facts({**options, "seed": 7})) == "--seed is 7, the chief's 1000"
    assert difference(ours, facts(options, resume="runs/3")) == "--resume is 3, the chief's not given"
    assert difference(ours, facts(options, ("a:1", "c:2"))) == "--workers is a:1,c:2, the chief's a:1,b:2"


@pytest.mark.parametrize("package", ["pgan_tf", "tensorflow", "keras"])
def test_versions_must_not_differ(options, package, monkeypatch):
    ours = facts(options)
    if package == "pgan_tf":
        monkeypatch.setattr(together, "__version__", "9.9")
    else:
        of = importlib.metadata.version
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9" if name == package else of(name))
    assert difference(ours, facts(options)).startswith(f"the version of {package} is 9.9, the chief's ")


def test_tensorflow_may_come_as_another_distribution(options, monkeypatch):
    ours, of = facts(options), importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: {"tensorflow": ["tensorflow-cpu"]})
    versions = {"tensorflow-cpu": of("tensorflow"), "keras": of("keras")}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: versions[name])
    assert difference(ours, facts(options)) == ""
