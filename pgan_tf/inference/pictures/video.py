"""Videos: frames go to ffmpeg one at a time, whatever the format, so that a long video needs no more memory.

(Pillow's writers of GIF and WebP keep every frame until the last has come.)
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from pgan_tf.errors import DISK, system_words
from pgan_tf.files import new_output
from pgan_tf.inference.errors import GenerateError

_PACKAGE = "pip install imageio-ffmpeg"
# A palette for each frame, because one for all of them would have to wait for the last.
_PALETTES = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"
# The colours of H.264 as players take them, and an even number of pixels as it wants.
_BT709 = "scale=out_color_matrix=bt709:out_range=tv,pad=ceil(iw/2)*2:ceil(ih/2)*2"

FORMATS = {
    ".mp4": [
        "-vf", _BT709, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "16", "-x264-params", "rc-lookahead=8",
        "-movflags", "+faststart", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
    ],
    ".gif": ["-filter_complex", _PALETTES, "-loop", "0"],
    ".webp": ["-c:v", "libwebp_anim", "-quality", "85", "-loop", "0"],
}  # fmt: skip

SIDES = {".mp4": 16384, ".gif": 65535, ".webp": 16383}  # the most pixels that the format has room for


def ffmpeg() -> str:
    """The program. GenerateError where the package is not installed."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):  # not installed; no program for this machine
        raise GenerateError(f"videos need ffmpeg: {_PACKAGE}") from None


def write_video(path: str | os.PathLike, frames: Iterator[np.ndarray], fps: float) -> None:
    """Writes uint8 frames [H,W,1 or 3] as .mp4, .gif or .webp; the file appears when it is complete.

    Raises GenerateError for an unknown suffix, frames too large for the format, a missing or failing ffmpeg; OSError
    where the disk is full.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise GenerateError(f"{path}: a video's name ends in {', '.join(FORMATS)}")
    program = ffmpeg()
    first = next(frames)
    height, width, channels = first.shape
    if max(width, height) > SIDES[path.suffix]:
        most = f"a {path.suffix} has at most {SIDES[path.suffix]} pixels a side, this one {width}x{height}"
        raise GenerateError(f"{path}: {most}; ask for fewer pictures side by side")
    source = ["-f", "rawvideo", "-pix_fmt", "gray" if channels == 1 else "rgb24", "-s", f"{width}x{height}"]
    with new_output(path) as temporary, tempfile.TemporaryFile() as messages:
        command = [program, "-v", "error", "-y", *source, "-r", f"{fps}", "-i", "-", *FORMATS[path.suffix]]
        command += ["-f", path.suffix[1:], f"file:{temporary}"]  # so neither a colon nor a %d means anything
        process = _start(command, messages)
        try:
            process.stdin.write(first.tobytes())
            for frame in frames:
                process.stdin.write(frame.tobytes())
            process.stdin.close()
            process.wait()
        except BrokenPipeError:  # its message says more
            process.wait()
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            messages.seek(0)
            raise _fault(path, messages.read().decode(errors="replace"))


def _start(command: list[str], messages: IO[bytes]) -> subprocess.Popen:
    try:
        # A session of its own: Ctrl-C is for us, and we end it.
        return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=messages, start_new_session=True)
    except OSError as error:  # what IMAGEIO_FFMPEG_EXE names
        said = f"{command[0]}: ffmpeg cannot be started ({system_words(error)})"
        raise GenerateError(f"{said}; mend IMAGEIO_FFMPEG_EXE, or unset it: {_PACKAGE}") from error


def _fault(path: Path, messages: str) -> Exception:
    """Of its many lines the one with the system's words, which come early, or the last."""
    for number in DISK:
        if os.strerror(number) in messages:
            return OSError(number, os.strerror(number), os.fspath(path))
    lines = messages.strip().splitlines() or ["no message"]
    return GenerateError(f"{path}: ffmpeg could not write it ({lines[-1]})")
