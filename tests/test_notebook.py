"""What a notebook shows while something takes long: one line, in one place."""

import contextlib
import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from pgan_tf import notebook, progress
from pgan_tf.stages import layer_stage
from pgan_tf.training import console


@pytest.fixture
def shown(monkeypatch):
    """A notebook that keeps what it is told: (of the output, the text)."""
    said = []

    def display(content, raw, display_id):
        assert (raw, display_id) == (True, True)
        place = len({place for place, _ in said})
        said.append((place, content["text/plain"]))
        return SimpleNamespace(update=lambda content, raw: said.append((place, content["text/plain"])))

    module, inner = ModuleType("IPython"), ModuleType("IPython.display")
    module.get_ipython, inner.display = lambda: SimpleNamespace(kernel=object()), display
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)  # what is printed shall be text all the same
    return said


def test_a_terminal_is_none(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not notebook.in_notebook()
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace()  # IPython in a terminal: a shell without a kernel
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert not notebook.in_notebook()


@pytest.mark.parametrize(("seconds", "texts"), [(0.0, ["a", "b", "c"]), (1e9, ["a", "c"])])
def test_a_line_stays_in_its_place_and_ends_with_the_last_text(shown, monkeypatch, seconds, texts):
    monkeypatch.setattr(notebook, "SECONDS_BETWEEN", seconds)
    with contextlib.closing(notebook.Line()) as line:
        for text in "abc":
            line.show(text)
    assert shown == [(0, text) for text in texts]


def test_a_run_is_a_line_that_moves_and_lines_that_stay(shown, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(notebook, "SECONDS_BETWEEN", 0.0)
    log = console.ConsoleLog(tmp_path / "log.txt", 100.0)
    log.reached(25.0)
    log.busy("building 8x8")
    log.line("tick 1")
    log.advance(50.0, layer_stage(8, True), (40.0, 60.0), eta=125, rate=33.3, losses=(1.0, -2.0))
    log.close()
    half = "█" * 12 + "░" * 12
    assert shown == [
        (0, "█" * 6 + "░" * 18 + " 25.0/100.0 kimg  building 8x8"),
        (0, f"{half} 50.0/100.0 kimg  8x8 fade-in  33 img/s  2m 05s to go"),
    ]
    assert capsys.readouterr().out == "tick 1\n"


def test_lines_are_whole_though_a_notebooks_stream_says_that_it_is_a_terminal(shown, tmp_path, monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", screen)
    log = console.ConsoleLog(tmp_path / "log.txt", 100.0)
    log.line("many words " * 30)
    log.close()
    assert screen.getvalue() == "many words " * 30 + "\n"


def test_what_goes_through_many_items_is_a_line_too(shown, capsys):
    assert list(progress.track(range(3), 3, "made")) == [0, 1, 2]
    assert {place for place, _ in shown} == {0}
    assert shown[-1][1].startswith("made: 3 of 3, ")
    assert capsys.readouterr() == ("", "")


def test_waiting_leaves_nothing(shown):
    with console.waiting("measuring"):
        pass
    assert [text for _, text in shown] == ["measuring ...", ""]


def test_no_screen_is_mistaken_for_a_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), console.waiting("measuring"):
        pass
    assert screen.getvalue() == ""
