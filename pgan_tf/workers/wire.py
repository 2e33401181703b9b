"""Messages between two processes: JSON objects, one a line, over a connection that says so when its other end goes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

MOST_BYTES = 2**20  # of a message


class Wire:
    """One end of a connection. `heard`: when something came last, by time.monotonic()."""

    def __init__(self, connection: socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection, self._sending = connection, threading.Lock()
        self._lines = connection.makefile("rb")
        self.heard = time.monotonic()

    def limit(self, seconds: float | None) -> None:
        """How long sending and receiving may take before they raise TimeoutError; None: as long as it takes."""
        self._connection.settimeout(seconds)

    def send(self, **message: Any) -> None:
        """OSError where the other end is gone."""
        with self._sending:
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any]:
        """The next message. EOFError where the other end is closed or gone; ValueError for what is none of ours."""
        try:
            line = self._lines.readline(MOST_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise EOFError(str(error)) from None
        if not line:
            raise EOFError("it is closed")
        self.heard = time.monotonic()
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise ValueError("not a message")
        return message

    def is_open(self) -> bool:
        """Whether the other end is still there, as far as the system knows; for an end that waits for no message."""
        try:
            return self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def finish(self) -> None:
        """Nothing more is sent from here; what the other end sends still comes."""
        with contextlib.suppress(OSError):  # it is closed already
            self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._lines.close()
        self._connection.close()
