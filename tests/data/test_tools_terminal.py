"""display on a terminal: what is written, decoded again, is the picture; and who gets what."""

from __future__ import annotations

import io
import os
import re
import threading

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import RecordDataset
from pgan_tf.data.tools import display, terminal
from pgan_tf.data.tools.show import fit_tiles
from pgan_tf.grids import grid

pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.RandomState(height).randint(0, 256, (height, width, channels)).astype(np.uint8)


def decode_blocks(text: str) -> list[list[tuple]]:
    """Half blocks -> rows of pixels; None where the lower half has the terminal's own background."""
    cell = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);(?:48;2;(\d+);(\d+);(\d+)|49)m\u2580")
    rows = []
    for line in text.splitlines():
        cells = cell.findall(line)
        assert cell.sub("", line) == "\x1b[0m"
        rows.append([tuple(map(int, found[:3])) for found in cells])
        rows.append([tuple(map(int, found[3:])) if found[3] else None for found in cells])
    return rows


def decode_sixel(text: str) -> np.ndarray:
    """A sixel picture -> uint8 [H,W,3]; every pixel must be painted exactly once."""
    width, height, body = re.fullmatch(r'\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\\n', text, re.DOTALL).groups()
    width, height = int(width), int(height)
    out, painted = np.zeros((-(-height // 6) * 6, width, 3)), np.zeros((-(-height // 6) * 6, width), int)
    palette, colour, x, y = {}, None, 0, 0
    for token in re.findall(r"#\d+(?:;2;\d+;\d+;\d+)?|!\d+[?-~]|[?-~]|\$|-", body):
        if token[0] == "#":
            colour, *percent = token[1:].split(";")
            if percent:
                palette[colour] = np.array(percent[1:], float) * 2.55
        elif token in "$-":
            x, y = 0, y + 6 * (token == "-")
        else:
            length = int(token[1:-1]) if token[0] == "!" else 1
            for bit in range(6):
                if ord(token[-1]) - 63 >> bit & 1:
                    out[y + bit, x : x + length] = palette[colour]
                    painted[y + bit, x : x + length] += 1
            x += length
    assert (painted[:height] == 1).all()
    assert (painted[height:] == 0).all()
    return out[:height]


@pytest.mark.parametrize(("height", "channels"), [(4, 3), (5, 3), (6, 1)])
def test_half_blocks_hold_every_pixel(height, channels):
    image = picture(height, 7, channels)
    rows = decode_blocks(terminal.half_blocks(image))
    full = np.broadcast_to(image, (height, 7, 3)).tolist()
    assert rows[:height] == [[tuple(pixel) for pixel in row] for row in full]
    assert all(pixel is None for row in rows[height:] for pixel in row)


@pytest.mark.parametrize(("height", "width"), [(6, 1), (13, 40), (24, 9)])
def test_sixel_paints_each_pixel_once_in_its_colour(height, width):
    """Of few colours: the only loss is that of sixel's percentages."""
    colours = picture(1, 30)[0]
    image = colours[np.random.RandomState(1).randint(0, 30, (height, width))]
    image[:, : width // 2] = colours[3]  # long runs
    np.testing.assert_allclose(decode_sixel(terminal.sixel(image)), image, atol=1.28)


def test_sixel_has_runs():
    assert len(terminal.sixel(np.full((6, 1000, 3), 200, np.uint8))) < 100


def test_sixel_of_many_colours_and_of_grey():
    ramp = np.linspace(0, 255, 40).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[:, None], ramp, np.uint8(128)), axis=-1)  # [40,40,3]
    assert np.abs(decode_sixel(terminal.sixel(image)) - image).mean() < 8
    grey = np.broadcast_to(ramp[:, None, None], (40, 12, 1))
    np.testing.assert_allclose(decode_sixel(terminal.sixel(grey)), np.broadcast_to(grey, (40, 12, 3)), atol=1.28)


# ---- who gets what ---------------------------------------------------------------------------------------------------


class Terminal:
    """A pseudo-terminal of 80x24 characters that answers the one question, or stays silent."""

    def __init__(self, answer: bytes):
        self.master, slave = os.openpty()
        self.screen = open(slave, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        self.keyboard = open(slave, encoding="utf-8")  # noqa: SIM115
        self._seen = b""
        self._thread = threading.Thread(target=self._answer, args=(answer,))
        self._thread.start()

    def _answer(self, answer: bytes) -> None:
        while not self._seen.endswith((b"\x1b[c", b"end")):
            self._seen += os.read(self.master, 64)
        os.write(self.master, answer)

    def seen(self) -> bytes:
        """What was written to it."""
        self.screen.write("end")
        self.screen.flush()
        self._thread.join()
        return self._seen.removesuffix(b"end")

    def close(self) -> None:
        self.seen()
        self.screen.close()
        self.keyboard.close()
        os.close(self.master)


@pytest.fixture
def terminal_with(monkeypatch):
    made = []

    def make(answer: bytes) -> Terminal:
        # Where an answer comes it may take as long as a busy machine needs; where none comes nobody waits for it.
        monkeypatch.setattr(terminal, "_ANSWER_SECONDS", 60 if answer else 0.05)
        made.append(Terminal(answer))
        return made[-1]

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(terminal.shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((80, 24)))
    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("answer", "sixel"),
    [
        (b"\x1b[?62;4;22c", True),
        (b"\x1b[?65;1;9;4c", True),
        (b"\x1b[?62;22c", False),
        (b"\x1b[?4;6c", False),  # 4 is the model here
        (b"\x1b[?62;14;44c", False),
        (b"", False),
        (b"4c", False),
    ],
)
def test_the_terminal_says_whether_it_has_sixel(answer, sixel, terminal_with):
    one = terminal_with(answer)
    screen = terminal.screen(one.screen, one.keyboard)
    assert screen.encode is (terminal.sixel if sixel else terminal.half_blocks)
    assert one.seen() == b"\x1b[c"
    if not sixel:
        assert (screen.width, screen.height) == (80, 44)


def test_the_terminal_is_left_as_it_was(terminal_with):
    import termios

    one = terminal_with(b"\x1b[?62;4c")
    before = termios.tcgetattr(one.keyboard)
    terminal.screen(one.screen, one.keyboard)
    assert termios.tcgetattr(one.keyboard) == before


def test_no_colours_no_screen(terminal_with, monkeypatch):
    assert terminal.screen(io.StringIO()) is None
    one = terminal_with(b"")
    with open(one.screen.fileno(), "w", encoding="ascii", closefd=False) as plain:
        assert terminal.screen(plain, one.keyboard) is None
    monkeypatch.setenv("TERM", "dumb")
    assert terminal.screen(one.screen, one.keyboard) is None


def test_display_on_a_terminal(small_set, terminal_with, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    one = terminal_with(b"")
    monkeypatch.setattr(terminal.sys, "stdin", one.keyboard)
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(terminal, "has_sixel", lambda *_: False)
    monkeypatch.setattr(terminal, "screen", lambda stream: terminal.Screen(terminal.half_blocks, 80, 44, 16))
    assert display(small_set, num=3, stream=shown) == []
    text, caption = shown.getvalue().rsplit("\x1b[0m\n", 1)
    assert caption == "small: 3 of 10 images, 16x16 RGB\n"
    side, columns, count = fit_tiles(3, 80, 44, 16)
    tiles = RecordDataset(small_set).read(16, np.arange(3))
    big = [np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.NEAREST)) for tile in tiles]
    expected = grid(np.stack(big), columns)
    rows = decode_blocks(text + "\x1b[0m\n")
    assert (count, rows[0]) == (3, [tuple(pixel) for pixel in expected[0].tolist()])
    assert not list(tmp_path.glob("*.png"))


def test_files_are_what_a_flag_or_a_pipe_gets(small_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [str(path) for path in display(small_set, stream=io.StringIO())] == ["small-16.png"]
    monkeypatch.setattr(terminal, "screen", lambda stream: pytest.fail("nobody shall ask the terminal"))
    stream = io.StringIO()
    assert [path.name for path in display(small_set, tmp_path / "a.png", stream=stream)] == ["a.png"]
    assert [path.name for path in display(small_set, html=tmp_path / "a.html", stream=stream)] == ["a.html"]
    assert stream.getvalue() == ""


@pytest.mark.parametrize("count", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize(("width", "height", "least"), [(80, 44, 16), (1200, 700, 48), (40, 200, 16), (10, 10, 16)])
def test_tiles_fit_and_are_as_large_as_they_can_be(count, width, height, least):
    side, columns, shown = fit_tiles(count, width, height, least)
    assert columns * side <= width
    assert -(-shown // columns) * side <= height
    assert 1 <= shown <= count
    assert side >= min(least, width, height)
    if shown < count:
        assert side == min(least, width, height)
    elif side > least:
        assert (width // (side + 1)) * (height // (side + 1)) < count or side == min(width, height)
