"""What the processes of a run say to each other while it lasts: what the chief decides, and who is gone.

Each worker has a wire to the chief. Every few seconds both ends say that they are there; an end that breaks off, or
says nothing for long, has gone, and all others end.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from pgan_tf.errors import UserError
from pgan_tf.workers.cluster import Cluster
from pgan_tf.workers.wire import Wire

BEAT_SECONDS = 3.0  # between two signs of life
SILENCE_SECONDS = 40.0  # without one: gone
GRACE_SECONDS = 20.0  # in which a process should end by itself once another has gone
LAST_SECONDS = 3.0  # for the last words of another process
Facts = dict[str, str]


class WorkerGone(UserError, RuntimeError):
    """Another process of the run is gone, so that this one cannot go on."""

    status = 1


class Refused(UserError, ValueError):
    """A worker that does not go with the chief."""


def difference(chief: Facts, worker: Facts) -> str:
    """What differs first, in words; '' where nothing does."""
    for name in (*chief, *worker):
        ours, theirs = chief.get(name, "nothing"), worker.get(name, "nothing")
        if ours != theirs:
            return f"{name} is {theirs}, the chief's {ours}"
    return ""


class Alone:
    """A process that has nobody to talk to. `size`: of the cluster that it may be planned for."""

    chief, task = True, 0

    def __init__(self, cluster: Cluster | None = None):
        self.cluster, self.size = cluster, len(cluster.addresses) if cluster else 1
        self.way_on = ""  # for who is to go on with the run

    def share(self, value: Any) -> Any:
        """The chief's value: there is no other."""
        return value

    def compare(self, facts: Facts) -> None:
        """There is nobody who could differ."""

    def send_stop(self) -> None:
        """There is nobody to be told."""

    def close(self, error: BaseException | None = None) -> None:
        """Nothing is open."""


class Team:
    """A process with wires to others: the chief to all workers, {their tasks: wires}, a worker to the chief, {0: wire}.

    `on_stop` is called when a worker has been asked to stop; `on_loss`, with why, when one is gone and whatever waits
    for it must not wait any longer. Both in another thread.
    """

    def __init__(self, cluster: Cluster, wires: dict[int, Wire]):
        self.cluster, self.size, self.chief, self.task = cluster, len(cluster.addresses), cluster.chief, cluster.task
        self.on_stop: Callable[[], object] = lambda: None
        self.on_loss: Callable[[str], object] = lambda why: None
        self.way_on = "start all of them again"  # for who is left alone
        self.lost: str | None = None  # who is gone, and how
        self._wires, self._closed, self._watched = wires, threading.Event(), False
        self._came: dict[int, queue.SimpleQueue] = {task: queue.SimpleQueue() for task in wires}
        self._said_bye: set[int] = set()
        self._asked, self._wake = False, threading.Event()  # whether this worker was asked to stop
        self._losing = threading.Lock()
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in wires.items()]
        for thread in self._readers:
            thread.start()
        threading.Thread(target=self._beat, daemon=True).start()

    # ---- what all agree on -------------------------------------------------------------------------------------------

    def share(self, value: Any) -> Any:
        """The chief's value, to all; returns when all have come here. Raises WorkerGone."""
        return self._exchange(value, lambda _: value)

    def compare(self, facts: Facts) -> None:
        """Raises Refused in all processes where one has other facts than the chief."""

        def judge(theirs: dict[int, Facts]) -> str:
            found = {task: difference(facts, of_task) for task, of_task in theirs.items()}
            return next((f"{self.cluster.name(task)}: {line}" for task, line in found.items() if line), "")

        if line := self._exchange(facts, judge):
            raise Refused(line)

    def _exchange(self, value: Any, judge: Callable[[dict[int, Any]], Any]) -> Any:
        """The chief's judgement of all values."""
        if self.chief:
            answer = judge({task: self._next(task) for task in self._wires})
            self._send(value=answer)
            return answer
        self._send(value=value)
        return self._next(0)

    def _send(self, **message: Any) -> None:
        for wire in self._wires.values():
            try:
                wire.send(**message)
            except OSError:  # its reader says so
                continue

    def _next(self, task: int) -> Any:
        """The next value from there."""
        message = None if self.lost else self._came[task].get()
        if message is None:
            raise self.gone()
        return message["value"]

    def gone(self) -> WorkerGone:
        """What ends this process when another one has gone; it may be noticed here before it is known who."""
        why = self.lost or "another worker cannot be reached"
        return WorkerGone(f"{why}; {self.way_on}")

    def wait_for_loss(self, seconds: float = SILENCE_SECONDS) -> bool:
        """Whether somebody is gone; waits for the news."""
        until = time.monotonic() + seconds
        while not self.lost and time.monotonic() < until:
            self._closed.wait(0.05)
        return bool(self.lost)

    def send_stop(self) -> None:
        """Tells the chief that this worker has been asked to stop."""
        self._asked = not self.chief
        self._wake.set()  # in a signal's handler nothing can be sent: it may have come amid a message

    # ---- who is there ------------------------------------------------------------------------------------------------

    def watch(self, on_loss: Callable[[str], object]) -> None:
        """From now on silence counts. (Before, while its libraries load, a process may be busy for minutes.)"""
        self.on_loss, self._watched = on_loss, True

    def _read(self, task: int, wire: Wire) -> None:
        """Runs in a thread for each wire."""
        while True:
            try:
                message = wire.receive()
            except (EOFError, ValueError, OSError):
                break
            if "value" in message:
                self._came[task].put(message)
            elif "stop" in message:
                self.on_stop()
            elif "lost" in message:
                self._lose(str(message["lost"]))
            elif "bye" in message:
                self._said_bye.add(task)
                if message["bye"]:
                    self._lose(f"{self.cluster.name(task)} has ended: {message['bye']}")
        if not self._closed.is_set() and task not in self._said_bye:
            self._lose(f"{self.cluster.name(task)} is gone: its connection broke off")

    def _beat(self) -> None:
        """Runs in a thread: says that this process is there, and looks who else is."""
        looked = time.monotonic()
        while not self._closed.is_set():
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            self._send(**({"stop": True} if self._asked else {"beat": True}))
            self._asked = False
            now = time.monotonic()
            if now - looked > 3 * BEAT_SECONDS:  # it was this process that was held up
                for wire in self._wires.values():
                    wire.heard = now
            looked = now
            for task, wire in self._wires.items():
                if self._watched and now - wire.heard > SILENCE_SECONDS and task not in self._said_bye:
                    self._lose(f"{self.cluster.name(task)} is gone: it has said nothing for {SILENCE_SECONDS:g} s")

    def _lose(self, why: str) -> None:
        """Ends the wait of this process and of the others; ends the process if that does not."""
        with self._losing:
            if self.lost or self._closed.is_set():
                return
            self.lost = why
        if self.chief:
            self._send(lost=why)
        for came in self._came.values():
            came.put(None)
        self.on_loss(why)
        if not self._closed.wait(GRACE_SECONDS):
            os.write(2, f"error: {self.gone()}\n".encode())
            os._exit(WorkerGone.status)

    def close(self, error: BaseException | None = None) -> None:
        """The end of this process' part; error: what ends it, that others are told. Without one all end together."""
        try:
            if error is None:
                self.share(None)
        finally:
            self._closed.set()
            self._wake.set()
            self._send(bye=_words(error) if error else "")
            for wire in self._wires.values():
                wire.finish()
            until = time.monotonic() + LAST_SECONDS
            for thread in self._readers:  # until all others have closed: what is under way would be lost
                thread.join(max(0.0, until - time.monotonic()))


def _words(error: BaseException) -> str:
    """Why a process ends, on one line."""
    if isinstance(error, KeyboardInterrupt):
        return "it was interrupted"
    return (str(error).splitlines() or [type(error).__name__])[0]


_current: list[Alone | Team] = [Alone()]


def current() -> Alone | Team:
    """That of this process."""
    return _current[-1]


def set_current(team: Alone | Team) -> None:
    _current[:] = [team]
