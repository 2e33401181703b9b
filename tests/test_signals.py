"""The signals that ask a program to end."""

import os
import pty
import signal
import stat

import pytest

from pgan_tf import signals


@pytest.mark.parametrize("ignored", [False, True])
def test_a_hangup_that_nohup_has_ignored_stays_ignored(ignored):
    came = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with signals.handled(lambda number, _: came.append(number)):
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == (signal.SIG_IGN if ignored else signal.SIG_DFL)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert came == ([] if ignored else [signal.SIGHUP])


@pytest.mark.parametrize("closed", [False, True])
def test_what_is_printed_leaves_a_terminal_that_is_gone_and_no_other(closed, capfd):
    terminal, inner = pty.openpty()
    kept = os.dup(1)
    try:
        os.dup2(inner, 1)
        if closed:
            os.close(terminal)
        signals.leave_dead_terminal()
        assert os.write(1, b"a line") == 6  # OSError on one that is gone
        assert os.isatty(1) is not closed
        assert stat.S_ISREG(os.fstat(2).st_mode)  # capfd's file, where everything is written as before
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(inner)
