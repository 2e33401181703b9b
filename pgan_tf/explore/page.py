"""The page in Gradio: its head, the drawn pictures and the pins; tabs.py has what can be done with them.

All of a visitor's things are in their own gr.State; the sources are shared, and only read.
"""

from __future__ import annotations

import random

import gradio as gr

from pgan_tf.explore import handlers, tabs
from pgan_tf.explore.handlers import ALL, MOST_DRAWN, RANDOM, Visit
from pgan_tf.explore.networks import Source, find
from pgan_tf.explore.parts import LARGEST_SEED, QUICK, Shared, cells, gallery, no_pins, picture, said, still

REFRESH = 5  # seconds after which a run is asked for a newer snapshot
DRAWN, COLUMNS = 12, 6


def build(sources: dict[str, Source]) -> gr.Blocks:
    """The page of these networks."""
    names = list(sources)
    with gr.Blocks(title="pgan_tf: " + ", ".join(names), analytics_enabled=False, delete_cache=(600, 1800)) as page:
        gr.Markdown("# What has it learned?")
        with gr.Row(equal_height=True):
            network = gr.Dropdown(names, value=names[0], label="network", min_width=300, visible=len(names) > 1)
            about = gr.Markdown(sources[names[0]].about(), elem_id="about")
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                label = gr.Dropdown(**_labels(sources[names[0]]), label="label")
                truncation = gr.Slider(
                    0, 1, 1, step=0.05, label="truncation", info="1: varied; 0: the average", buttons=[],
                    visible=sources[names[0]].painter().engine.parted,
                )  # fmt: skip
                with gr.Row():
                    seed = gr.Number(0, label="seed", precision=0, minimum=0, maximum=LARGEST_SEED, min_width=110)
                    count = gr.Number(
                        DRAWN, label="pictures", precision=0, minimum=1, maximum=MOST_DRAWN, min_width=110
                    )
                new = gr.Button("Draw others", variant="primary", elem_id="draw")
            with gr.Column(scale=3, min_width=500):
                drawn = gallery("drawn", COLUMNS, elem_id="drawn")
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                chosen = still("chosen: click one above", elem_id="chosen")
                pin = gr.Button("Pin it", elem_id="pin")
                pins = gallery("pins", 4, elem_id="pins", visible=False)
                unpin = gr.Button("Remove all pins", size="sm", visible=False)
            shared = Shared(sources, network, gr.State(Visit()), label, truncation, chosen, pins, unpin)
            with gr.Column(scale=3, min_width=500):
                follow = tabs.lay_out(shared)
        _wire_drawing(page, shared, seed, count, new, drawn, [about, label, truncation, *follow.outputs], follow.fresh)
        _wire_pins(shared, pin)
    return page


def _labels(source: Source) -> dict:
    """What the list of labels holds, for a network."""
    size = source.painter().engine.label_size
    return {"choices": [RANDOM, ALL, *map(str, range(size))], "value": RANDOM, "visible": size > 0}


def _wire_drawing(page, shared: Shared, seed, count, new, drawn, told: list, fresh) -> None:
    """Drawing, choosing, another network, a newer snapshot. `told`: what is renewed with the network, by `fresh`."""
    sources, state = shared.sources, gr.State("")  # which file was last seen
    inputs = [shared.network, shared.visit, seed, shared.label, shared.truncation, count]
    outputs = [drawn, shared.chosen, shared.visit]

    @said
    def draw(network, visit, seed, label, truncation, count):
        pictures, visit = handlers.draw(find(sources, network), visit, int(seed), str(label), truncation, int(count))
        return cells(pictures), picture(pictures[0]), visit

    @said
    def draw_others(network, visit, seed, label, truncation, count):
        seed = random.randrange(LARGEST_SEED)
        return seed, *draw(network, visit, seed, label, truncation, count)

    @said
    def choose(network, visit, truncation, event: gr.SelectData):
        pictures, visit = handlers.choose(find(sources, network), visit, int(event.index), truncation)
        return picture(pictures[0]), visit

    @said
    def other_network(network, visit, seed, label, truncation, count):
        source = find(sources, network)
        drawn = draw(network, Visit(), seed, RANDOM, truncation, count)
        shown = gr.update(visible=source.painter().engine.parted)
        return source.about(), gr.update(**_labels(source)), shown, *fresh(source), *drawn, *no_pins(), source.about()

    @said
    def look(network, visit, seed, label, truncation, count, seen):
        about = find(sources, network).about()
        if about == seen:
            return [gr.skip()] * (len(outputs) + 2)
        if not visit.drawn:
            return about, *draw(network, visit, seed, label, truncation, count), about
        drawn, chosen, visit = handlers.repaint(find(sources, network), visit, truncation)
        return about, cells(drawn), picture(chosen[0]), visit, about

    gr.on(
        [seed.submit, shared.label.input, shared.truncation.release, count.submit], draw, inputs, outputs,
        api_name="draw", **QUICK,
    )  # fmt: skip
    new.click(draw_others, inputs, [seed, *outputs], api_name=False, **QUICK)
    drawn.select(choose, [shared.network, shared.visit, shared.truncation], outputs[1:], api_name=False, **QUICK)
    shared.network.input(
        other_network, inputs, [*told, *outputs, shared.pins, shared.unpin, state], api_name=False, **QUICK
    )
    gr.on(
        [page.load, gr.Timer(REFRESH).tick], look, [*inputs, state], [told[0], *outputs, state], api_name=False, **QUICK
    )


def _wire_pins(shared: Shared, pin: gr.Button) -> None:
    inputs = [shared.network, shared.visit, shared.truncation]
    pin.click(tabs.pinning(shared, "chosen"), inputs, shared.pinned, api_name="pin", **QUICK)
    remove = lambda visit: (*no_pins(), handlers.unpin(visit))  # noqa: E731
    shared.unpin.click(remove, [shared.visit], shared.pinned, api_name=False, **QUICK)
