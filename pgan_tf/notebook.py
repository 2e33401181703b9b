"""A line in a notebook that is updated in place; needs nothing but the IPython that runs the notebook."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN = 0.25  # of two updates: each is a message to the browser


def in_notebook() -> bool:
    """Whether what is printed goes to a notebook: Jupyter, Colab, VS Code, but not IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class Line:
    """Appears where the notebook is when it first says something."""

    def __init__(self):
        self._handle, self._shown, self._waiting = None, float("-inf"), None

    def show(self, text: str) -> None:
        """Puts a text in place of the one before; some are passed over where they come too fast."""
        self._waiting = text
        if time.monotonic() - self._shown >= SECONDS_BETWEEN:
            self._update()

    def close(self) -> None:
        """The last text stays."""
        if self._waiting is not None:
            self._update()

    def _update(self) -> None:
        from IPython.display import display

        content, self._waiting = {"text/plain": self._waiting}, None
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
        self._shown = time.monotonic()
