"""Videos: frames go to ffmpeg one at a time, whatever the format, so that a long video needs no more memory.

(Pillow's writers of GIF and WebP keep every frame until the last has come.)
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pgan_tf.files import new_output
from pgan_tf.inference.errors import GenerateError

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


def ffmpeg() -> str:
    """The program. GenerateError where the package is not installed."""
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):  # not installed; no program for this machine
        raise GenerateError("videos need ffmpeg: pip install imageio-ffmpeg") from None


def write_video(path: str | os.PathLike, frames: Iterator[np.ndarray], fps: float) -> None:
    """Writes uint8 frames [H,W,1 or 3] as .mp4, .gif or .webp; the file appears when it is complete.

    Raises GenerateError for an unknown suffix, a missing or failing ffmpeg.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise GenerateError(f"{path}: a video's name ends in {', '.join(FORMATS)}")
    program = ffmpeg()
    first = next(frames)
    height, width, channels = first.shape
    source = ["-f", "rawvideo", "-pix_fmt", "gray" if channels == 1 else "rgb24", "-s", f"{width}x{height}"]
    with new_output(path) as temporary, tempfile.TemporaryFile() as messages:
        command = [program, "-v", "error", "-y", *source, "-r", f"{fps}", "-i", "-", *FORMATS[path.suffix]]
        process = subprocess.Popen(
            [*command, "-f", path.suffix[1:], f"file:{temporary}"],  # so neither a colon nor a %d means anything
            stdin=subprocess.PIPE, stderr=messages,
            start_new_session=True,  # Ctrl-C is for us: we end it
        )  # fmt: skip
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
            lines = messages.read().decode(errors="replace").strip().splitlines() or ["no message"]
            raise GenerateError(f"{path}: ffmpeg could not write it ({lines[-1]})")
