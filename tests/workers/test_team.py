"""What processes that train together say to each other; here the ends are threads."""

import contextlib
import queue
import socket
import threading
import time
import types
from functools import partial

import pytest

from pgan_tf.option import ConfigError
from pgan_tf.workers import meeting, team, wire
from pgan_tf.workers.cluster import Cluster
from pgan_tf.workers.team import Alone, Refused, WorkerGone, difference

FACTS = {"--seed": "1", "the data set": "ten digits"}
PATIENCE = 120  # seconds, on a machine that is busy


def addresses(count: int) -> tuple[str, ...]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)


class Process:
    """Meets the others in a thread; `said`: its lines, `result`: the ties, or what was raised."""

    def __init__(self, where: tuple[str, ...], task: int, facts=FACTS, minutes: float = PATIENCE / 60):
        self.said: queue.Queue[str] = queue.Queue()
        self.result = None
        self._thread = threading.Thread(target=self._meet, args=(Cluster(where, task), facts, minutes))
        self._thread.start()

    def _meet(self, cluster, facts, minutes):
        try:
            self.result, held = meeting.meet(cluster, facts, minutes, self.said.put)
            held.close()
        except Exception as error:
            self.result = error

    def end(self):
        self._thread.join(PATIENCE)
        return self.result


@pytest.fixture(autouse=True)
def no_last_resort(monkeypatch):
    """Here the process that a thread of one that is left alone would end is the tests'."""
    monkeypatch.setattr(team, "GRACE_SECONDS", 1e6)


@pytest.fixture
def three():
    where = addresses(3)
    ties = [process.end() for process in [Process(where, task) for task in range(3)]]
    yield ties
    at_once(*(partial(each.close, RuntimeError("the test is over")) for each in ties if not each._closed.is_set()))


def at_once(*calls) -> list:
    """What each call gives, or raises, in threads of their own."""
    results = [None] * len(calls)

    def call(i):
        try:
            results[i] = calls[i]()
        except Exception as error:
            results[i] = error

    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def test_all_get_what_the_chief_has(three):
    for turn in range(3):
        assert at_once(*(partial(each.share, [turn, i]) for i, each in enumerate(three))) == [[turn, 0]] * 3
    assert at_once(*(each.close for each in three)) == [None] * 3
    assert all(each.lost is None for each in three)


def test_one_that_differs_ends_all_by_name(three):
    odd = {**FACTS, "--seed": "2"}
    results = at_once(*(partial(each.compare, odd if each.task == 2 else FACTS) for each in three))
    assert [type(result) for result in results] == [Refused] * 3
    assert {str(result) for result in results} == {f"{three[0].cluster.name(2)}: --seed is 2, the chief's 1"}


def test_one_that_breaks_off_ends_the_wait_of_all(three):
    stop = [threading.Event() for _ in three]
    for each, event in zip(three, stop, strict=True):
        each.watch(lambda why, event=event: event.set())
        each.way_on = "go on so"
    three[1]._closed.set()  # as the system closes what a killed process had open: without a word
    three[1]._wires[0].finish()
    results = at_once(lambda: three[0].share(0), lambda: three[2].share(0))
    line = f"{three[0].cluster.name(1)} is gone: its connection broke off; go on so"
    assert [(type(result), str(result)) for result in results] == [(WorkerGone, line)] * 2
    assert stop[0].wait(PATIENCE)
    assert stop[2].wait(PATIENCE)


def test_why_one_ends_is_told_to_all(three):
    three[2].close(ValueError("the disk is full\nand more"))
    results = at_once(lambda: three[0].share(0), lambda: three[1].share(0))
    assert {str(result).partition("; ")[0] for result in results} == {
        f"{three[0].cluster.name(2)} has ended: the disk is full"
    }


def test_silence_counts_once_it_is_watched(monkeypatch):
    monkeypatch.setattr(team, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(team, "SILENCE_SECONDS", -1.0)  # whoever is looked at has been silent for longer
    where = addresses(2)
    chief, worker = (process.end() for process in [Process(where, task) for task in range(2)])
    assert at_once(lambda: chief.share(1), lambda: worker.share(2)) == [1, 1]
    gone = threading.Event()
    chief.watch(lambda why: gone.set())
    assert gone.wait(PATIENCE)
    assert "is gone: it has said nothing for" in chief.lost
    at_once(*(partial(each.close, RuntimeError("the test is over")) for each in (chief, worker)))


def test_who_was_held_up_itself_misses_nobody(monkeypatch):
    """As after a machine has slept: what was silent for so long is this process."""
    slept, turns = [0.0], threading.Semaphore(0)

    def monotonic():
        turns.release()
        return time.monotonic() + slept[0]

    clock = types.SimpleNamespace(monotonic=monotonic, sleep=time.sleep)
    for module in (team, wire):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(team, "BEAT_SECONDS", 1.0)
    where = addresses(2)
    ends = [process.end() for process in [Process(where, task) for task in range(2)]]
    for each in ends:
        each.watch(lambda why: None)
    slept[0] = 10 * team.SILENCE_SECONDS
    for each in ends:
        each._wake.set()  # looks now
    for _ in range(20):
        assert turns.acquire(timeout=PATIENCE)
    assert at_once(lambda: ends[0].share(1), lambda: ends[1].share(2)) == [1, 1]
    assert [each.lost for each in ends] == [None, None]
    assert at_once(*(each.close for each in ends)) == [None, None]


def test_a_process_that_does_not_end_by_itself_is_ended(three, monkeypatch, capfd):
    ended = queue.Queue()
    monkeypatch.setattr(team, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(team.os, "_exit", ended.put)
    three[1]._closed.set()
    three[1]._wires[0].finish()
    assert [ended.get(timeout=PATIENCE) for _ in range(2)] == [1, 1]  # the chief and the other worker
    line = f"error: {three[0].cluster.name(1)} is gone: its connection broke off; start all of them again\n"
    assert capfd.readouterr().err == 2 * line


def test_a_worker_that_is_asked_to_stop_tells_the_chief(three):
    asked = threading.Event()
    three[0].on_stop = asked.set
    three[2].send_stop()
    assert asked.wait(PATIENCE)


def test_a_late_worker_is_waited_for_and_one_that_differs_sent_away():
    where = addresses(2)
    chief = Process(where, 0)
    assert chief.said.get(timeout=PATIENCE) == f"waiting for worker 1 ({where[1]}), at most {PATIENCE / 60:g} minutes"
    other = Process(where, 1, {**FACTS, "the data set": "nine digits"}).end()
    fault = "the data set is nine digits, the chief's ten digits"
    assert isinstance(other, Refused)
    assert str(other) == f"refused by the chief ({where[0]}): {fault}"
    assert chief.said.get(timeout=PATIENCE) == f"refused worker 1: {fault}"
    with socket.create_connection(("127.0.0.1", int(where[0].rpartition(":")[2]))) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        worker = Process(where, 1).end()
    assert at_once(lambda: chief.end().share("go"), lambda: worker.share(None)) == ["go", "go"]
    assert at_once(chief.result.close, worker.close) == [None, None]


@pytest.mark.parametrize("task", [0, 1])
def test_nobody_waits_for_ever(task):
    where = addresses(2)
    error = Process(where, task, minutes=0.001).end()
    assert isinstance(error, meeting.NotThere)
    assert "within 0.001 minutes" in str(error)
    assert Cluster(where).name(1 - task) in str(error)


@pytest.mark.parametrize("task", [0, 1])
def test_a_port_that_is_taken_is_named(task):
    where = addresses(2)
    port = int(where[task].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        error = Process(where, task).end()
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"port {port} of {Cluster(where).name(task)} is in use: ")


def test_who_answers_and_is_no_chief_is_named():
    where = addresses(2)
    with socket.create_server(("127.0.0.1", int(where[0].rpartition(":")[2]))) as other:
        worker = Process(where, 1)
        connection, _ = other.accept()
        with connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n")
            error = worker.end()
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"what answers at {where[0]} is no chief")


def test_the_first_difference_is_said():
    assert difference({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == ""
    assert difference({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == "b is 3, the chief's 2"
    assert difference({"a": "1"}, {"a": "1", "c": "4"}) == "c is 4, the chief's nothing"


def test_a_process_alone_agrees_with_itself():
    alone = Alone(Cluster(("a:1", "b:2")))
    assert (alone.chief, alone.size, Alone().size, alone.share(7)) == (True, 2, 1, 7)
