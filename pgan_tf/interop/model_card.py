"""The page that goes with an exported network, in the form that huggingface.co reads as a repository's README.md.

It says what the network is and what the folder of its run knows of data, settings and metrics; what nobody has said or
measured is not on it, or stands among the limits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgan_tf
from pgan_tf.config import Config
from pgan_tf.data import identity
from pgan_tf.evaluation import results
from pgan_tf.inference.load import Loaded
from pgan_tf.networks.saved import digest, folder_of, kimg
from pgan_tf.option import option_text
from pgan_tf.text import plain, shown
from pgan_tf.training import rundir

SUFFIX = ".card.md"
# Of https://huggingface.co/docs/hub/repositories-licenses, those that data has; others are "other" with their name.
LICENSES = (
    "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "c-uda",
    "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
    "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0",
    "etalab-2.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "mit", "mpl-2.0", "odbl",
    "odc-by", "ofl-1.1", "pddl", "unknown", "unlicense", "wtfpl", "zlib",
)  # fmt: skip
PAGE = """\
---
{metadata}
---

# {title}

A generator of images, {family}: {latent_size} components of a latent{and_labels} -> {resolution}x{resolution} pixels,
{num_channels} channel(s); {parameters:,} parameters. Exported by pgan_tf {version} from {source}, sha256
`{sha256}`.

```python
{code}
```

## Data

{data}

## Settings

{settings}

## Metrics

{metrics}

## Limits

{limits}
"""


def page(loaded: Loaded, name: str, tag: str, code: str, data_license: str = "") -> str:
    """The card of the export `name` as Markdown behind YAML.

    Args:
        loaded: the network that is exported.
        tag: what the hub calls the format.
        code: the lines of Python that run the export.
        data_license: of the training images, in the user's words; '' = not stated, then the card has no licence.
    """
    network, file, config = loaded
    sha256 = digest(file)
    rows = _measured(file, sha256)
    facts = {key: getattr(network, key) for key in ("family", "latent_size", "resolution", "num_channels")}
    labels = f" and a label of {network.label_size} classes" if network.label_size else ""
    return PAGE.format(
        **facts,
        metadata=_yaml(_metadata(loaded, name, tag, data_license, rows)),
        title=plain(name),
        and_labels=labels,
        parameters=network.count_params(),
        version=pgan_tf.__version__,
        source=plain(file.name),
        sha256=sha256,
        code=code,
        data="\n".join(_data(loaded, data_license)),
        settings=_settings(folder_of(file), config),
        metrics="\n".join(_metrics(rows)) if rows else "None was measured of these weights.",
        limits="\n".join(f"- {line}" for line in _limits(loaded, rows)),
    )


# ---- for the hub -----------------------------------------------------------------------------------------------------


def _metadata(loaded: Loaded, name: str, tag: str, data_license: str, rows: list[dict]) -> dict[str, Any]:
    """The fields of https://github.com/huggingface/hub-docs/blob/main/modelcard.md that are known."""
    about = _license(data_license)
    about |= {
        "library_name": "pgan_tf",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "image-generation", loaded.network.family, tag],
    }
    task = {"type": about["pipeline_tag"]}
    found = [
        {"task": task, "dataset": {"name": against, "type": "custom"}, "metrics": [_number(row)]}
        for row in rows
        if math.isfinite(results.headline(row)) and (against := _against(row) or _dataset(loaded.config))
    ]
    if found:
        about["model-index"] = [{"name": name, "results": found}]
    return about


def _number(row: dict) -> dict[str, Any]:
    return {"type": row["metric"], "name": row["title"], "value": results.headline(row)}


def _license(stated: str) -> dict[str, str]:
    """The fields of a licence: one that the hub knows, or "other" with a name of the characters that it takes."""
    if not stated:
        return {}
    if stated.lower() in LICENSES:
        return {"license": stated.lower()}
    link = {"license_link": stated} if re.fullmatch(r"https?://\S+", stated) else {}
    name = re.sub(r"[^a-z0-9.]+", "-", re.sub(r"^https?://", "", stated.lower())).strip("-.")
    return {"license": "other", "license_name": name or "as-stated", **link}


def _yaml(fields: dict[str, Any]) -> str:
    """Each field as JSON, which YAML contains: no text can be taken for anything else."""
    return "\n".join(f"{name}: {json.dumps(_words(value), ensure_ascii=False)}" for name, value in fields.items())


def _words(value: Any) -> Any:
    """Texts at any depth without what YAML does not print."""
    if isinstance(value, dict):
        return {key: _words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_words(item) for item in value]
    return shown(value) if isinstance(value, str) else value


# ---- for people ------------------------------------------------------------------------------------------------------


def _dataset(config: Config | None) -> str:
    """The name of the data set: that of its folder. Where it lies concerns nobody else."""
    return Path(config.data.dataset).name if config else ""


def _data(loaded: Loaded, data_license: str) -> Iterator[str]:
    folder, name = folder_of(loaded.path), _dataset(loaded.config)
    about = identity.read(folder)
    if name:
        yield f"- data set: {plain(name)}"
    for key, words in (("pictures", "images"), ("resolution", "pixels a side"), ("label_size", "classes")):
        if isinstance(about.get(key), int):
            yield f"- {words}: {about[key]:,}"
    if isinstance(about.get("sha256"), str):
        yield f"- sha256 of 16 of its images and all labels: `{plain(about['sha256'])}`"
    if not name and not about:
        yield "- not known: the network does not lie in the folder of its run"
    yield f"- licence, as stated at the export: {plain(data_license) if data_license else 'not stated'}"


def _settings(folder: Path, config: Config | None) -> str:
    """The options that differ from the defaults, of places only the last name; versions and hardware."""
    if config is None:
        return "Not known: no config.json lies beside the network."
    places = {"dataset", "init_from", "result_dir"}
    changes = {
        name: Path(value).name if name in places else option_text(value) for name, value in config.changes().items()
    }
    options = [shown(f"--{name}={text}") for name, text in changes.items()]
    lines = ["These options differ from the defaults:", "", "```", *options, "```"] if options else ["The defaults."]
    known = rundir.read_environment(folder)
    words = [f"{key} {plain(known[key])}" for key in ("pgan_tf", "tensorflow", "keras") if key in known]
    words += [plain(known["hardware"])] if "hardware" in known else []
    return "\n".join([*lines, "", f"Begun with {', '.join(words)}."] if words else lines)


def _measured(file: Path, sha256: str) -> list[dict]:
    """The newest result of each metric, of these very weights."""
    rows = results.read(folder_of(file) / "metrics.jsonl")
    own = {row["title"]: row for row in rows if row.get("fakes_sha256") == sha256}
    return list(own.values())


def _metrics(rows: list[dict]) -> Iterator[str]:
    yield "| metric | value | images of each set | against |"
    yield "|---|---|---|---|"
    for row in rows:
        against = plain(_against(row)) or "-"
        yield f"| {plain(row['title'])} | {results.headline(row):.4g} | {row['count']:,} | {against} |"


def _against(row: dict) -> str:
    """The name of the set that a result compares with; '' for none."""
    return Path(row.get("reals", "")).name


def _limits(loaded: Loaded, rows: list[dict]) -> Iterator[str]:
    network, file, config = loaded
    yield f"Images have {network.resolution}x{network.resolution} pixels; no other size can be asked for."
    yield "It learned from its training images alone; what they lack or show too often, so do its images."
    if network.fading:
        yield f"The highest resolution was fading in (alpha {float(network.alpha):.4g})."
    seen = kimg(file)
    if config and seen is not None and seen < int(config.growth.total_kimg):
        yield f"The training was not over: {seen:g} of {config.growth.total_kimg:g} thousand real images."
    if not rows:
        yield "How good the images are was not measured."
    elif any("extractor" in row for row in rows):
        yield "Numbers of another extractor, number of images or data set cannot be compared with those above."
    if "neighbors" not in {row["metric"] for row in rows}:
        yield "Whether images are copies of training images was not measured."
