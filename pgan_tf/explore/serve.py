"""Serves the page: on this machine alone unless told otherwise, and nothing but the page."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from pgan_tf.errors import UserError
from pgan_tf.explore.networks import open_sources
from pgan_tf.explore.uploads import MOST_BYTES

LOCAL = "127.0.0.1"


def serve(networks: Sequence[str | os.PathLike], host: str | None = None, port: int | None = None) -> None:
    """Shows runs, .keras files, imports and exported .onnx on a page, until it is interrupted: KeyboardInterrupt.

    host, port: where; by default what GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say, as on Hugging Face's Spaces, else
    127.0.0.1, which other machines do not reach, and a free port from 7860 on. NetworkError, UserError: one line.
    """
    with private_folder():
        page, how = opened(networks, host, port)
        _, address, _ = page.launch(**how, prevent_thread_lock=True)
        print(f"open {address} in a browser; Ctrl-C ends it", flush=True)
        try:
            threading.Event().wait()
        finally:
            page.close(verbose=False)


def opened(networks: Sequence[str | os.PathLike], host: str | None = None, port: int | None = None):
    """-> (the page, what its `launch` is given). To be called within `private_folder`."""
    import gradio as gr

    from pgan_tf.explore.page import build
    from pgan_tf.explore.parts import STYLE

    host = host or os.environ.get("GRADIO_SERVER_NAME") or LOCAL
    check_place(host, port)
    sources = open_sources([Path(network) for network in networks])
    fonts = ["system-ui", "sans-serif"]  # nothing is loaded from elsewhere
    how = {
        "server_name": host, "server_port": port,
        "max_file_size": MOST_BYTES, "allowed_paths": [], "share": False, "ssr_mode": False, "enable_monitoring": False,
        "mcp_server": False, "show_error": False, "quiet": True, "css": STYLE,
        "theme": gr.themes.Default(font=fonts, font_mono=["ui-monospace", "monospace"]),
    }  # fmt: skip
    return build(sources), how


@contextmanager
def private_folder():
    """Where gradio keeps uploads and pictures: a folder of our own, not the one that all its programs share."""
    folder = tempfile.mkdtemp(prefix="pgan_tf_explore_")
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = folder
    try:
        yield Path(folder)
    finally:
        if before is None:
            del os.environ["GRADIO_TEMP_DIR"]
        else:
            os.environ["GRADIO_TEMP_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


def check_place(host: str, port: int | None) -> None:
    """UserError where nothing can listen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"--port={port}: another program has it; give another, or leave it out") from None
        if error.errno == errno.EACCES:
            raise UserError(f"--port={port}: is not for users; give one from 1024 on") from None
        raise UserError(f"--host={host}: is no address of this machine; give 127.0.0.1, or 0.0.0.0 for all") from None
