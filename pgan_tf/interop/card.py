"""The folder of an imported network: what stands on its card, and when it may be replaced.

card.json says it to programs, README.md to people.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pgan_tf
from pgan_tf.data.errors import DataError
from pgan_tf.files import names_besides
from pgan_tf.text import shown

CARD = "card.json"
PAGE = """\
# {title}

Imported by pgan_tf {version} from `{file}` ({bytes:,} bytes, sha256 `{sha256}`).
Nothing in that file was executed. The licence of the weights is that of whoever trained them.

| file | network | lod | pixels | parameters | sha256 |
|---|---|---|---|---|---|
{rows}
{notes}
```python
import keras, numpy as np, pgan_tf

g = keras.saving.load_model("{generator}")
latents = np.random.randn(4, g.latent_size).astype("float32")
images = g({call})  # [4, {resolution}, {resolution}, {channels}], -1..1
```

Options of the generator: {options}.
"""
FADE = "The highest resolution is fading in: `g.alpha` is {alpha:g}."
SMALLER = (
    "These networks are those of {resolution} pixels. The original then shows its pictures enlarged to its final "
    "{final_resolution} pixels, each pixel {factor}x{factor} times, and its discriminator averages the images down to "
    "{resolution} pixels. Here neither is done: images have {resolution} pixels."
)
UNSHOWN = (
    "{count} variables of the file belong to layers that this lod does not use. `unshown.npz` keeps them under the "
    "original's names; with another `--lod` the same file can be imported again."
)


def check_out(out: Path, overwrite: bool, files: list[str]) -> None:
    """DataError if `out` must not be written: only an empty folder, or with `overwrite` one that was imported.

    files: what such a folder may hold besides its cards.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        raise DataError(f"{out}: exists already; add --overwrite, or choose another folder")
    if not (out / CARD).is_file():
        raise DataError(f"{out}: has no {CARD}, so it is no imported network; choose another folder")
    if others := names_besides(out, [CARD, "README.md", *files]):
        raise DataError(f"{out}: holds {shown(others[0])}, which no import writes; choose another folder")


def write(folder: Path, source: dict[str, Any], networks: dict[str, dict], unshown: dict[str, list[int]]) -> None:
    """Writes both cards.

    Args:
        source: format, file, bytes and sha256 of what was imported.
        networks: {file: its facts}, the averaged generator first; see pgan_tf/interop/nvidia.py.
        unshown: {variable: shape} of what the networks have no place for.
    """
    facts = {"pgan_tf": pgan_tf.__version__, "source": source, "networks": networks, "unshown": unshown}
    (folder / CARD).write_text(json.dumps(facts, indent=2) + "\n")
    (folder / "README.md").write_text(_page(facts))


def read(folder: Path) -> dict[str, Any]:
    """What card.json says. DataError where it cannot be read."""
    try:
        return json.loads((folder / CARD).read_text())
    except ValueError as error:
        raise DataError(f"{folder / CARD}: damaged ({error}); import the network again") from None


def _page(card: dict[str, Any]) -> str:
    name, facts = next(iter(card["networks"].items()))
    options, factor = facts["options"], facts["final_resolution"] // facts["resolution"]
    labels = f"(latents, np.eye({options['label_size']}, dtype='float32')[[0] * 4])"
    notes = [
        FADE.format(**facts) if facts["fading"] else "",
        SMALLER.format(**facts, factor=factor) if factor > 1 else "",
        UNSHOWN.format(count=len(card["unshown"])) if card["unshown"] else "",
    ]
    return PAGE.format(
        title=Path(card["source"]["file"]).stem,
        version=card["pgan_tf"],
        **card["source"],
        rows="\n".join(_row(file, about) for file, about in card["networks"].items()),
        notes="".join(f"\n{note}\n" for note in notes if note),
        generator=name,
        call=labels if options["label_size"] else "latents",
        resolution=facts["resolution"],
        channels=options["num_channels"],
        options=", ".join(f"{key} {value}" for key, value in options.items()),
    )


def _row(file: str, facts: dict[str, Any]) -> str:
    cells = (
        f"`{file}`", f"{facts['what']} ({facts['name']})", f"{facts['lod']:g}", facts["resolution"],
        f"{facts['parameters']:,}", f"`{facts['sha256']}`",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"
