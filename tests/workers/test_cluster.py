"""Which processes train together, by the flags and by TF_CONFIG."""

import json

import pytest

from pgan_tf.option import ConfigError
from pgan_tf.workers.cluster import VARIABLE, Cluster, find

TWO = ["a:2222", "b:2223"]


def variable(jobs, kind="worker", index=0) -> dict[str, str]:
    return {VARIABLE: json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}, "environment": "cloud"})}


@pytest.mark.parametrize(
    ("workers", "task", "environment", "expected"),
    [
        ("", -1, {}, None),
        ("", -1, {VARIABLE: " "}, None),
        ("a:2222,b:2223", 1, {}, Cluster(tuple(TWO), 1)),
        ("a:1, b:2", 0, {}, Cluster(("a:1", "b:2"), 0)),
        ("[::1]:2222", 0, {}, Cluster(("[::1]:2222",), 0)),
        ("", -1, variable({"worker": TWO}, index=1), Cluster(tuple(TWO), 1)),
        ("", -1, variable({"worker": TWO}, index="1"), Cluster(tuple(TWO), 1)),
        ("", -1, variable({"chief": ["c:1"], "worker": TWO}, "chief"), Cluster(("c:1", *TWO), 0)),
        ("", -1, variable({"chief": ["c:1"], "worker": TWO}), Cluster(("c:1", *TWO), 1)),
        ("", -1, variable({"master": ["c:1"], "worker": TWO}, index=1), Cluster(("c:1", *TWO), 2)),
        ("a:2222,b:2223", 1, variable({"worker": TWO}, index=1), Cluster(tuple(TWO), 1)),  # both say the same
    ],
)
def test_what_is_said_is_understood(workers, task, environment, expected):
    assert find(workers, task, environment) == expected


def test_the_first_is_the_chief_and_addresses_have_parts():
    cluster = Cluster(("[::1]:2222", "node1:7"), 1)
    assert (cluster.chief, cluster._replace(task=0).chief) == (False, True)
    assert [(cluster.host(i), cluster.port(i)) for i in (0, 1)] == [("::1", 2222), ("node1", 7)]
    assert [cluster.name(i) for i in (0, 1)] == ["the chief ([::1]:2222)", "worker 1 (node1:7)"]


WRONG = [
    ("a:1,b:2", -1, {}, "--workers=a:1,b:2: which of them is this process?"),
    ("a:1,b:2", 2, {}, "--task=2: --workers names 2, so it is 0 to 1"),
    ("", 1, {}, "--task=1: of which workers?"),
    ("a:1,a:1", 0, {}, "--workers=a:1,a:1: names a:1 twice"),
    ("a", 0, {}, "--workers=a: 'a' is not HOST:PORT"),
    ("a:0", 0, {}, "--workers=a:0: 'a:0' is not HOST:PORT"),
    ("a:70000", 0, {}, "--workers=a:70000: 'a:70000' is not HOST:PORT"),
    ("a:1,", 0, {}, "--workers=a:1,: '' is not HOST:PORT"),
    (":1", 0, {}, "--workers=:1: ':1' is not HOST:PORT"),
    ("http://a:1", 0, {}, "--workers=http://a:1: "),
    ("", -1, {VARIABLE: "{"}, "TF_CONFIG={: is not JSON"),
    ("", -1, {VARIABLE: "[" * 100_000}, "TF_CONFIG=[[["),
    ("", -1, {VARIABLE: "[]"}, "TF_CONFIG=[]: has no cluster or no task"),
    ("", -1, {VARIABLE: "7"}, "TF_CONFIG=7: has no cluster or no task"),
    ("", -1, {VARIABLE: '{"cluster": {}, "task": {}}'}, "TF_CONFIG: its cluster names no chief and no worker"),
    ("", -1, variable({"worker": "a:1"}), "TF_CONFIG: its worker is not a list of addresses"),
    ("", -1, variable({"worker": [7]}), "TF_CONFIG: its worker is not a list of addresses"),
    ("", -1, variable({"worker": ["a"]}), "TF_CONFIG: 'a' is not HOST:PORT"),
    ("", -1, variable({"worker": TWO}, index=2), "TF_CONFIG: there is no worker 2"),
    ("", -1, variable({"worker": TWO}, index=-1), "TF_CONFIG: its task has the index -1"),
    ("", -1, variable({"worker": TWO}, index=None), "TF_CONFIG: its task has the index None"),
    ("", -1, variable({"worker": TWO}, "chief"), "TF_CONFIG: there is no chief 0"),
    ("", -1, variable({"worker": TWO}, "evaluator"), "TF_CONFIG: a task of type evaluator has nothing to do here"),
    ("", -1, variable({"worker": TWO}, "ps"), "TF_CONFIG: a task of type ps has nothing to do here"),
    ("", -1, variable({"chief": TWO}, "chief"), "TF_CONFIG: names 2 chiefs"),
    ("a:1,b:2", 0, variable({"worker": TWO}), "--workers and --task say a:1,b:2 task 0, TF_CONFIG says a:2222,b:2223"),
]


@pytest.mark.parametrize(("workers", "task", "environment", "line"), WRONG, ids=[case[3][:40] for case in WRONG])
def test_what_cannot_be_meant_is_one_line(workers, task, environment, line):
    with pytest.raises(ConfigError) as caught:
        find(workers, task, environment)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
