"""What can be done with the chosen picture and the pins: a tab for each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from pgan_tf.explore import handlers
from pgan_tf.explore.handlers import MOST_PINS, MOST_SECONDS
from pgan_tf.explore.networks import Source, find
from pgan_tf.explore.parts import (
    LARGEST_SEED,
    PICTURES,
    QUICK,
    SLOW,
    Shared,
    cells,
    gallery,
    picture,
    said,
    said_on_the_way,
    still,
)
from pgan_tf.explore.points import DIRECTIONS
from pgan_tf.explore.uploads import MOST_STEPS, SEARCH
from pgan_tf.inference.pictures import video

MOST_SETS = 8  # of latent dimensions that have a slider: 1-8 to 513-1024
NEIGHBORS, ROWS = 5, 4


class Follow(NamedTuple):
    """What depends on the network: `outputs` get what `fresh(source)` returns."""

    outputs: list
    fresh: Callable[[Source], list]


def lay_out(shared: Shared) -> Follow:
    """All tabs."""
    with gr.Tabs():
        with gr.Tab("Change"):
            sliders = _change(shared)
        with gr.Tab("Mix"):
            sets = _mix(shared)
        with gr.Tab("Interpolate"):
            _film(shared)
        with gr.Tab("Find my picture"):
            _project(shared)
        with gr.Tab("Learned by heart?"):
            _nearest(shared)

    def fresh(source: Source) -> list:
        return [*_slider_updates(source), gr.update(choices=handlers.set_names(source), value=[])]

    return Follow([*sliders, sets], fresh)


def pinning(shared: Shared, which: str) -> Callable:
    """What pins the visitor's picture of that name."""

    @said
    def pin(network, visit, truncation):
        pictures, visit = handlers.pin(find(shared.sources, network), visit, which, truncation)
        shown = gr.update(value=cells(pictures, [str(i + 1) for i in range(len(pictures))]), visible=True)
        return shown, gr.update(visible=True), visit

    return pin


def _pin_button(shared: Shared) -> None:
    inputs = [shared.network, shared.visit, shared.truncation]
    gr.Button("Pin the result").click(pinning(shared, "made"), inputs, shared.pinned, api_name=False, **QUICK)


# ---- change ----------------------------------------------------------------------------------------------------------


def _change(shared: Shared) -> list[gr.Slider]:
    """Sliders for the principal directions and for sets of latent dimensions."""
    source = next(iter(shared.sources.values()))
    options = _slider_updates(source)
    with gr.Row():
        with gr.Column(min_width=200):
            made = still("changed", elem_id="changed")
            _pin_button(shared)
            reset = gr.Button("Sliders back", size="sm")
        with gr.Column(min_width=200):
            gr.Markdown("principal directions of the first layer")
            sliders = [gr.Slider(-4, 4, 0, step=0.1, buttons=[], **_plain(update)) for update in options[:DIRECTIONS]]
        with gr.Column(min_width=200):
            gr.Markdown("latent dimensions, towards another draw")
            towards = gr.Number(1, label="its seed", precision=0, minimum=0, maximum=LARGEST_SEED)
            sliders += [gr.Slider(0, 1, 0, step=0.05, buttons=[], **_plain(update)) for update in options[DIRECTIONS:]]

    @said
    def move(network, visit, truncation, towards, *values):
        pictures, visit = handlers.move(find(shared.sources, network), visit, truncation, int(towards), values)
        return picture(pictures[0]), visit

    inputs = [shared.network, shared.visit, shared.truncation, towards, *sliders]
    gr.on(
        [slider.input for slider in sliders] + [towards.submit], move, inputs, [made, shared.visit],
        api_name="change", trigger_mode="always_last", **QUICK,
    )  # fmt: skip
    reset.click(lambda: [0] * len(sliders) + [None], None, [*sliders, made], api_name=False, **QUICK)
    return sliders


def _slider_updates(source: Source) -> list[dict]:
    """What each slider is for a network; those that it has no use for are not shown."""
    names, parted = handlers.set_names(source), source.painter().engine.parted
    names = [*names, *[""] * MOST_SETS][:MOST_SETS]
    return [
        *(gr.update(label=f"direction {i + 1}", value=0, visible=parted) for i in range(DIRECTIONS)),
        *(gr.update(label=f"dimensions {name}", value=0, visible=bool(name)) for name in names),
    ]


def _plain(update: dict) -> dict:
    return {name: update[name] for name in ("label", "visible")}


# ---- mix -------------------------------------------------------------------------------------------------------------


def _mix(shared: Shared) -> gr.CheckboxGroup:
    """Two pins: some sets of latent dimensions of the one, the others and the label of the other."""
    source = next(iter(shared.sources.values()))
    with gr.Row():
        a = gr.Number(1, label="pin A", precision=0, minimum=1, maximum=MOST_PINS)
        b = gr.Number(2, label="pin B", precision=0, minimum=1, maximum=MOST_PINS)
        sets = gr.CheckboxGroup(handlers.set_names(source), type="index", label="dimensions from A, the others from B")
    with gr.Row():
        both = gallery("A, B and the mixture", 3, elem_id="mixture")
        with gr.Column():
            go = gr.Button("Mix")
            _pin_button(shared)
    way = gallery("coarse to fine: the first dimensions from A, the others from B", MOST_SETS + 1)

    @said
    def mix(network, visit, truncation, a, b, sets):
        found = handlers.mix(find(shared.sources, network), visit, truncation, int(a or 0), int(b or 0), sets or [])
        three, line, captions, visit = found
        return cells(three, ["A", "B", "mixture"]), cells(line, captions), visit

    inputs = [shared.network, shared.visit, shared.truncation, a, b, sets]
    gr.on([go.click, sets.input, a.submit, b.submit], mix, inputs, [both, way, shared.visit], api_name="mix", **QUICK)
    return sets


# ---- interpolate -----------------------------------------------------------------------------------------------------


def _film(shared: Shared) -> None:
    """A video through the pins."""
    with gr.Row():
        with gr.Column():
            seconds = gr.Slider(1, MOST_SECONDS, 4, step=1, label="seconds")
            kind = gr.Radio([suffix[1:] for suffix in video.FORMATS], value="mp4", label="file")
            go = gr.Button("Film the way through the pins", variant="primary", elem_id="film")
        shown = gr.Video(label="from pin to pin and back to the first", interactive=False, autoplay=True, loop=True)
        file = gr.File(label="to download", interactive=False)

    @said
    def film(network, visit, truncation, seconds, kind, progress=gr.Progress()):  # noqa: B008
        out = Path(tempfile.mkdtemp(dir=tempfile.gettempdir())) / f"interpolation.{kind}"
        for part in handlers.film(find(shared.sources, network), visit, truncation, float(seconds), out):
            progress(part, desc="frames")
        return str(out) if kind == "mp4" else None, str(out)

    inputs = [shared.network, shared.visit, shared.truncation, seconds, kind]
    go.click(film, inputs, [shown, file], api_name="film", **SLOW)


# ---- find ------------------------------------------------------------------------------------------------------------


def _project(shared: Shared) -> None:
    """A picture of one's own, looked for among those that the network can make."""
    with gr.Row():
        with gr.Column(min_width=200):
            file = gr.File(label="a picture", type="filepath", elem_id="upload")
            fit = gr.Radio(["crop", "pad", "stretch"], value="crop", label="how to make it square")
            steps = gr.Slider(10, MOST_STEPS, SEARCH.steps, step=10, label="steps")
            with gr.Row():
                go, stop = gr.Button("Find it", variant="primary", elem_id="find"), gr.Button("Stop")
        with gr.Column(min_width=200):
            target = still("yours, as the network would have it")
        with gr.Column(min_width=200):
            found = still("the nearest so far", elem_id="found")
    said_of_it = gr.Markdown("", elem_id="progress")
    _pin_button(shared)

    @said_on_the_way
    def project(network, visit, file, fit, label, steps):
        source = find(shared.sources, network)
        for step, wanted, best, after in handlers.project(source, visit, file, fit, str(label), int(steps)):
            line = f"{step.done} of {step.total} {step.what}" + f", loss {step.loss:.4f}" * (best is not None)
            yield picture(wanted), None if best is None else picture(best), line, after

    inputs = [shared.network, shared.visit, file, fit, shared.label, steps]
    run = go.click(project, inputs, [target, found, said_of_it, shared.visit], api_name="project",
                   show_progress="hidden", **SLOW, **PICTURES)  # fmt: skip
    stop.click(None, cancels=[run])


# ---- nearest ---------------------------------------------------------------------------------------------------------


def _nearest(shared: Shared) -> None:
    """Drawn pictures beside the training pictures most like them."""
    go = gr.Button("Show the training pictures nearest to the first drawn ones", elem_id="nearest")
    shown = gallery("each row: a drawn picture, then its nearest by pixels (1 is black against white)", NEIGHBORS + 1)

    @said
    def nearest(network, visit, truncation):
        source = find(shared.sources, network)
        return cells(*handlers.nearest(source, visit, truncation, ROWS, NEIGHBORS))

    go.click(
        nearest, [shared.network, shared.visit, shared.truncation], [shown], api_name="nearest", **SLOW, **PICTURES
    )
