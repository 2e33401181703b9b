"""How the workers of a run find each other, before anything else starts: the chief waits, the others come to it.

The chief listens at its own port, which TensorFlow takes over afterwards, and looks at each that comes: one with other
options, another data set or another version is sent away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from pgan_tf.errors import UserError
from pgan_tf.option import ConfigError
from pgan_tf.workers.cluster import Cluster
from pgan_tf.workers.team import Facts, Refused, Team, difference
from pgan_tf.workers.wire import Wire

PROTOCOL = "pgan_tf workers 1"
HELLO_SECONDS = 10.0  # for whoever connects to say who it is
AGAIN_SECONDS = 0.2  # between two attempts to reach the chief
PATIENCE_SECONDS = 2.0  # in which all may come without a word


class NotThere(UserError, RuntimeError):
    """Not all workers have come in time."""

    status = 1


class Guest(NamedTuple):
    """A worker that has come and goes with the chief."""

    task: int
    wire: Wire


def reserve(cluster: Cluster) -> socket.socket:
    """Holds the port of this process for TensorFlow, which may take it while it is held. ConfigError: it is taken."""
    port = cluster.port(cluster.task)
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("", port))
    except OSError as error:
        held.close()
        words = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise ConfigError(f"port {port} of {cluster.name(cluster.task)} {words}: end the program that has it, or "
                          "choose another port") from None  # fmt: skip
    return held


def meet(cluster: Cluster, facts: Facts, minutes: float, say: Callable[[str], object]) -> tuple[Team, socket.socket]:
    """Returns when all workers are there: the ties to them, and the port of this process, held.

    facts: what is to be the same in all; say: prints a line. Raises ConfigError, NotThere or, in a worker that does
    not go with the chief, Refused.
    """
    held = reserve(cluster)
    try:
        if not cluster.chief:
            count = len(cluster.addresses)
            say(f"worker {cluster.task} of {count}: trains with {cluster.name(0)}, which shows the run")
            return Team(cluster, {0: _to_chief(cluster, facts, minutes)}), held
        wires = Reception(cluster, facts, held, say).receive(minutes)
        held.close()  # the one way to stop listening
        held = reserve(cluster)
        return Team(cluster, wires), held
    except BaseException:
        held.close()
        raise


class Reception:
    """The chief's: takes those who come at its port."""

    def __init__(self, cluster: Cluster, facts: Facts, listener: socket.socket, say: Callable[[str], object]):
        self.cluster, self.facts, self.listener, self.say = cluster, facts, listener, say
        self.guests: queue.SimpleQueue[Guest | str] = queue.SimpleQueue()  # a text: to be said of one sent away
        self.here: dict[int, Wire] = {}

    def receive(self, minutes: float) -> dict[int, Wire]:
        """{task: wire} of all others; NotThere after so many minutes."""
        self.listener.listen(128)
        self.listener.settimeout(AGAIN_SECONDS)
        began, told = time.monotonic(), False
        try:
            while missing := self._missing():
                waited = time.monotonic() - began
                if waited > 60 * minutes:
                    late = f"{self._names(missing)} did not come within {minutes:g} minutes"
                    raise NotThere(f"{late}; start all workers, or give more --wait_minutes")
                if waited > PATIENCE_SECONDS and not told:
                    self.say(f"waiting for {self._names(missing)}, at most {minutes:g} minutes")
                    told = True
                self._take()
        except BaseException as error:
            self._send_away(str(error) or "it was interrupted")
            raise
        for wire in self.here.values():
            with contextlib.suppress(OSError):  # one that is gone again is missed as soon as it is spoken to
                wire.send(go=True)
        return self.here

    def _missing(self) -> list[int]:
        """Those who have not come, or have gone again."""
        self.here = {task: wire for task, wire in self.here.items() if wire.is_open()}
        return [task for task in range(1, len(self.cluster.addresses)) if task not in self.here]

    def _names(self, tasks: list[int]) -> str:
        return ", ".join(self.cluster.name(task) for task in tasks)

    def _take(self) -> None:
        """Lets in who comes now, and those who were found to be right meanwhile."""
        with contextlib.suppress(TimeoutError):
            connection, _ = self.listener.accept()
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()
        while not self.guests.empty():
            came = self.guests.get()
            if isinstance(came, str):
                self.say(came)
            else:
                self.here[came.task] = came.wire

    def _greet(self, connection: socket.socket) -> None:
        """Runs in a thread for each that comes. Who is none of ours is sent away without a word."""
        connection.settimeout(HELLO_SECONDS)
        wire = Wire(connection)
        try:
            hello = wire.receive()
            task, facts = hello.get("task"), hello.get("facts")
            if hello.get("hello") != PROTOCOL or type(task) is not int or not isinstance(facts, dict):
                raise ValueError("not a worker")
            if fault := self._fault(task, facts):
                self.guests.put(f"refused worker {task}: {fault}")
                wire.send(refused=fault)
                raise ValueError("refused")
            wire.send(welcome=True)
            wire.limit(None)
        except (OSError, EOFError, ValueError):
            wire.finish()
            wire.close()
            return
        self.guests.put(Guest(task, wire))

    def _fault(self, task: int, facts: Facts) -> str:
        """Why somebody cannot be of this run; '' if it can."""
        if not 0 < task < len(self.cluster.addresses):
            return f"--workers names {len(self.cluster.addresses)}, so there is no worker {task}"
        if task in self.here and self.here[task].is_open():
            return f"there is a worker {task} already; give each its own --task"
        return difference(self.facts, facts)

    def _send_away(self, reason: str) -> None:
        for wire in self.here.values():
            try:
                wire.send(bye=reason)
                wire.finish()
            except OSError:  # gone already
                continue


def _to_chief(cluster: Cluster, facts: Facts, minutes: float) -> Wire:
    """The wire to the chief, once it has everybody."""
    end = time.monotonic() + 60 * minutes
    while True:
        try:
            return _ask(cluster, facts)
        except (OSError, EOFError) as error:  # it is not there yet, or its name is not known yet
            if time.monotonic() > end:
                why = os.strerror(error.errno) if getattr(error, "errno", 0) and error.errno > 0 else str(error)
                raise NotThere(f"{cluster.name(0)} could not be reached within {minutes:g} minutes ({why}); start it, "
                               "or give more --wait_minutes") from None  # fmt: skip
            time.sleep(AGAIN_SECONDS)
        except ValueError as error:
            if isinstance(error, Refused):
                raise
            raise ConfigError(f"what answers at {cluster.addresses[0]} is no chief of a run that waits for workers; "
                              "look at --workers, or wait until it has ended") from None  # fmt: skip


def _ask(cluster: Cluster, facts: Facts) -> Wire:
    """Comes to the chief and waits until all have come. Refused, NotThere; OSError, EOFError: it is not there."""
    wire = Wire(socket.create_connection((cluster.host(0), cluster.port(0)), HELLO_SECONDS))
    wire.send(hello=PROTOCOL, task=cluster.task, facts=facts)
    answer = wire.receive()
    if "refused" in answer:
        raise Refused(f"refused by {cluster.name(0)}: {answer['refused']}")
    if "welcome" not in answer:
        raise ValueError("no chief")
    wire.limit(None)
    answer = wire.receive()  # the chief says when, or that it gives up
    if "go" not in answer:
        raise NotThere(f"{cluster.name(0)} has ended: {answer.get('bye')}")
    return wire
