"""Signals while a run trains: at once where nothing is half done, else at the next such moment."""

import os
import signal

import pytest

from pgan_tf.signals import ENDING
from pgan_tf.training import stopping
from pgan_tf.training.stopping import StopNow, Stopping


@pytest.mark.parametrize("number", ENDING)
def test_work_that_must_not_be_cut_is_not(number):
    stop, done = Stopping(), []
    with stop.handled():
        signal.raise_signal(number)
        done.append("the rest")
        with pytest.raises(StopNow):
            stop.check()
        with pytest.raises(StopNow), stop.at_once():
            done.append("never")
    assert stop.signal == signal.Signals(number).name
    assert done == ["the rest"]


def test_work_that_may_be_cut_ends_at_once():
    stop, done = Stopping(), []

    def work():
        with stop.at_once():
            signal.raise_signal(signal.SIGTERM)
            done.append("more")

    with stop.handled():
        with pytest.raises(StopNow):
            work()
        assert done == []
        signal.raise_signal(signal.SIGTERM)  # schedulers repeat it: nothing more to do


def test_a_second_interrupt_ends_whatever_it_is():
    stop = Stopping()
    with stop.handled():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_from_before_come_back():
    before = [signal.getsignal(number) for number in ENDING]
    with Stopping().handled():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in ENDING] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_call_that_hears_nothing_is_told_of_and_ended_by_the_second(monkeypatch):
    """A pipe in place of the signals: what comes, and what the thread that listens does while Python hears nothing."""
    said, ended = [], []
    monkeypatch.setattr(stopping, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(stopping, "_say", said.append)
    monkeypatch.setattr(os, "_exit", ended.append)
    term, interrupt = signal.SIGTERM, signal.SIGINT
    for came in ([interrupt], [term, term], [term, interrupt]):
        reader, writer = os.pipe()
        os.write(writer, bytes(came))
        os.close(writer)
        Stopping()._listen(reader)
    assert said == [stopping._HEARD, stopping._HEARD, stopping._HEARD, stopping._ENDED]
    assert ended == [130]
