"""What a person sees: bars in a terminal, lines elsewhere, all lines in log.txt."""

import io
import os

import pytest
from rich.console import Console

from pgan_tf.stages import layer_stage
from pgan_tf.text import duration
from pgan_tf.training.console import ConsoleLog, Screen, fitted, show, waiting


def watch(tmp_path, terminal: bool) -> str:
    """What a short run shows."""
    screen = io.StringIO()
    log = ConsoleLog(tmp_path / "log.txt", 100.0, Console(file=screen, force_terminal=terminal, width=140))
    log.line("tick 1 of [bold]something[/bold]")
    log.advance(12.5, layer_stage(8, True), (10.0, 20.0), eta=125, rate=33.3, losses=(1.0, -2.0))
    log.close()
    assert (tmp_path / "log.txt").read_text() == "tick 1 of [bold]something[/bold]\n"
    return screen.getvalue()


def test_a_terminal_gets_bars_of_the_run_and_the_stage(tmp_path):
    shown = watch(tmp_path, terminal=True)
    words = ["12.5/100.0 kimg", "ETA 2m 05s", "33.3 img/s", "8x8 fade-in", "2.5/10.0 kimg", "loss D +1.000 G -2.000"]
    assert [word for word in words if word not in shown] == []


def test_elsewhere_there_are_only_the_lines(tmp_path):
    assert watch(tmp_path, terminal=False) == "tick 1 of [bold]something[/bold]\n"


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def closed_file():
    with open(os.devnull, "w") as file:
        return file


def full_disk():
    return os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("stream", [closed_pipe, closed_file, full_disk, lambda: None])
def test_a_screen_that_takes_nothing_stops_nobody(tmp_path, monkeypatch, stream, terminal):
    """The lines are in log.txt, with one that says why the screen stays empty; others may still write there."""
    stream = stream()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(Screen, "isatty", lambda self: terminal)
    log = ConsoleLog(tmp_path / "log.txt", 100.0)
    for number in range(3):
        log.line(f"tick {number}")
        log.advance(12.5, layer_stage(8, True), (10.0, 20.0), eta=125, rate=33.3, losses=(1.0, -2.0))
    log.close()
    lines = (tmp_path / "log.txt").read_text().splitlines()
    said = [line for line in lines if line.startswith("stdout: ")]
    assert [line for line in lines if line not in said] == ["tick 0", "tick 1", "tick 2"]
    assert len(said) == (stream is not None)
    if stream is not None and not stream.closed:
        print("more", file=stream, flush=True)
        stream.close()


@pytest.mark.parametrize(("seconds", "text"), [(5, "0m 05s"), (3725, "1h 02m 05s"), (93784, "1d 02h 03m")])
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_the_bars_end_at_their_ends(tmp_path):
    """The last round may go beyond: a run stops at whole minibatches."""
    screen = io.StringIO()
    log = ConsoleLog(tmp_path / "log.txt", 100.0, Console(file=screen, force_terminal=True, width=140))
    log.advance(100.4, layer_stage(8), (90.0, 100.0), eta=0, rate=33.3, losses=(1.0, -2.0))
    log.close()
    shown = screen.getvalue()
    assert "100.0/100.0 kimg" in shown
    assert "10.0/10.0 kimg" in shown
    assert "100.4" not in shown


def test_what_takes_long_is_named_while_the_bars_stand_still(tmp_path):
    screen = io.StringIO()
    log = ConsoleLog(tmp_path / "log.txt", 100.0, Console(file=screen, force_terminal=True, width=140))
    log.busy("measuring swd,fid")
    log.close()
    assert "measuring swd,fid" in screen.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_waiting_shows_in_a_terminal_alone_and_leaves_nothing(terminal):
    screen = io.StringIO()
    with waiting("loading TensorFlow", Console(file=screen, force_terminal=terminal)):
        assert ("loading TensorFlow ..." in screen.getvalue()) is terminal
    assert screen.getvalue().rsplit("\r", 2)[-1] == ""
    assert "\n" not in screen.getvalue()


def test_a_wait_that_fails_leaves_nothing_either():
    screen = io.StringIO()
    with pytest.raises(KeyError), waiting("measuring", Console(file=screen, force_terminal=True)):
        raise KeyError
    assert screen.getvalue().endswith(f"\r{' ' * len('measuring ...')}\r")


LINES = [
    "device    AMD EPYC, 2 cores; computes in bfloat16 (auto: the CPU has avx512_bf16), strided resampling (auto)",
    "tick 3    kimg 8.3     8x8 stabilise   1.00 D -6.82   G +35.9     298 img/s 0m 33s 0.9 GB",
    "run folder results/" + 90 * "x" + "; watch it with: tensorboard --logdir 'my results'",
    "--lod_training_kimg_dict=" + 30 * "4:2.142,",
    "",
]


@pytest.mark.parametrize("width", [1, 40, 80, 100])
@pytest.mark.parametrize("line", LINES)
def test_in_a_terminal_lines_break_between_words(line, width):
    """No word is lost or cut; what goes on stands under the second column; where a line is too long, it is one word."""
    parts = fitted(line, Console(file=io.StringIO(), force_terminal=True, width=width)).split("\n")
    assert " ".join(parts).split() == line.split()
    assert parts[0] == line[: len(parts[0])]
    assert all(part.startswith(10 * " ") == (line[8:10] == "  ") for part in parts[1:])
    assert all(len(part) <= max(width, 20) or len(part.split()) == 1 for part in parts)


def test_what_is_no_terminal_gets_lines_whole(capsys):
    show(LINES)
    assert capsys.readouterr().out.splitlines() == LINES


def test_the_bar_of_a_run_that_goes_on_begins_where_it_was(tmp_path):
    screen = io.StringIO()
    log = ConsoleLog(tmp_path / "log.txt", 100.0, Console(file=screen, force_terminal=True, width=140))
    log.reached(40.0)
    log.close()
    assert "40.0/100.0 kimg" in screen.getvalue()
