"""What all parts of the page share: kinds of components, how errors are said, how much runs at a time."""

from __future__ import annotations

import base64
import functools
import html
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData
from PIL import Image

from pgan_tf.errors import UserError
from pgan_tf.explore.networks import Source
from pgan_tf.metrics.errors import MetricError

LARGEST_SEED = 2**31 - 1
# What answers at once needs no queue, which looks only every 50 ms; of what takes its time one is done after the other.
# Pictures are answered as `picture` makes them: gradio's postprocess would write each into a file, and the browser ask
# for it, which takes longer than drawing twelve.
PICTURES = {"postprocess": False}
QUICK = {"queue": False, "show_progress": "hidden", **PICTURES}
SLOW = {"concurrency_id": "slow", "concurrency_limit": 1}
STYLE = """
.pixels img { image-rendering: pixelated; width: 100%; height: 100%; object-fit: contain; }
.pixels .grid-container { grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important; }
.pixels .grid-wrap { padding: 6px; height: auto !important; min-height: 0 !important; max-height: none !important; }
.caption { color: var(--body-text-color-subdued); }
#about { color: var(--body-text-color-subdued); }
footer { display: none !important; }
"""


class Shared(NamedTuple):
    """The components that every part of the page reads."""

    sources: dict[str, Source]
    network: gr.Dropdown
    visit: gr.State
    label: gr.Dropdown
    truncation: gr.Slider
    chosen: gr.Image
    pins: gr.Gallery
    unpin: gr.Button

    @property
    def pinned(self) -> list:
        """What changes with the pins."""
        return [self.pins, self.unpin, self.visit]


def no_pins() -> tuple:
    """What the pins and the button that removes them get."""
    return gr.update(value=[], visible=False), gr.update(visible=False)


def said(handler: Callable) -> Callable:
    """The same, with what a visitor can mend as a line on the page."""

    @functools.wraps(handler)
    def safe(*words):
        try:
            return handler(*words)
        except (UserError, MetricError) as error:
            raise _shown(error) from None

    return safe


def said_on_the_way(handler: Callable) -> Callable:
    """`said` for a handler that yields."""

    @functools.wraps(handler)
    def safe(*words):
        try:
            yield from handler(*words)
        except (UserError, MetricError) as error:
            raise _shown(error) from None

    return safe


def _shown(error: Exception) -> gr.Error:
    return gr.Error(html.escape(str(error)), print_exception=False, duration=8, title="")


def gallery(label: str, columns: int, **options) -> gr.Gallery:
    """For small pictures, to look at and to click."""
    return gr.Gallery(
        label=label, show_label=False, columns=columns, object_fit="contain", allow_preview=False,
        interactive=False, buttons=[], elem_classes="pixels", height="auto", **options,
    )  # fmt: skip


def still(label: str, **options) -> gr.Image:
    """For one picture, enlarged, with its label above it."""
    gr.Markdown(label, elem_classes="caption")
    return gr.Image(
        label=label, show_label=False, interactive=False, elem_classes="pixels", height=260,
        image_mode=None, buttons=["download"], **options,
    )  # fmt: skip


def cells(pictures: Sequence[np.ndarray] | None, captions: Sequence[str] = ()) -> list[dict]:
    """Pictures uint8 [R,R,C] as a gallery takes them; for events with PICTURES."""
    shown = [] if pictures is None else list(pictures)
    return [
        {"image": picture(one), "caption": caption}
        for one, caption in zip(shown, captions or [None] * len(shown), strict=True)
    ]


def picture(one: np.ndarray) -> dict:
    """uint8 [R,R,C] as an image takes it: a PNG whose address holds it, `data:image/png;base64,..`. For PICTURES."""
    one = one.repeat(3, axis=2) if one.shape[-1] == 1 else one  # [R,R,3], which browsers' canvases agree on
    file = io.BytesIO()
    Image.fromarray(one).save(file, "png")
    address = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return ImageData(url=address, orig_name="picture.png").model_dump()
