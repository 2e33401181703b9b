"""How far a search is, where somebody watches and where nobody does."""

import sys

from pgan_tf.inference.search.watching import watched


def search() -> None:
    with watched() as tell:
        for what, total in (("candidates", 3), ("steps", 4)):
            for done in range(1, total + 1):
                tell(what, done, total, 0.5 / done)


def test_without_a_terminal_the_end_of_each_part_is_a_line(capsys):
    search()
    assert (
        capsys.readouterr().err == "candidates: 3 of 3, loss 0.1667, 0 s left\nsteps: 4 of 4, loss 0.1250, 0 s left\n"
    )


def test_a_terminal_gets_a_bar_and_keeps_nothing_of_it(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    search()
    said = capsys.readouterr()
    assert said.out == ""
    assert "of 3" not in said.err  # no lines beside the bar
    assert "steps" in said.err
    assert "4/4" in said.err
