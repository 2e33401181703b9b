"""The model card of an export: fields as the hub takes them, and nothing that the run's folder does not say."""

import json
import math
import re

import pytest
import yaml

from pgan_tf.config import Config
from pgan_tf.files import sha256
from pgan_tf.inference.load import Loaded
from pgan_tf.interop import model_card
from pgan_tf.networks import Generator

SIZES = {"resolution": 8, "fmap_base": 64, "fmap_max": 8, "latent_size": 6}
# Of the hub's specification of a model card: the fields that we use, and what each may hold.
FIELDS = {
    "license": lambda value: value in (*model_card.LICENSES, "other"),
    "license_name": lambda value: re.fullmatch("[a-z0-9.-]+", value),
    "license_link": lambda value: re.match("https?://", value),
    "library_name": lambda value: value == "pgan_tf",
    "pipeline_tag": lambda value: value == "unconditional-image-generation",
    "tags": lambda value: all(isinstance(tag, str) for tag in value),
    "model-index": lambda value: all(result_fits(result) for model in value for result in model["results"]),
}
HOSTILE = (
    "a: b",
    "- x",
    "#|`<script>alert(1)</script>`",
    '"quoted" {%s}',
    "*&!@\u2028\x85\x7f\x1b[31m",
    "\udcff",
    "---",
)


def result_fits(result) -> bool:
    numbers = result["metrics"]
    return (
        isinstance(result["task"]["type"], str)
        and {"name", "type"} <= result["dataset"].keys()
        and all(math.isfinite(number["value"]) and isinstance(number["type"], str) for number in numbers)
    )


@pytest.fixture(scope="module")
def network():
    return Generator(**SIZES, label_size=3)


@pytest.fixture
def run(tmp_path, network):
    """Makes a run's folder from what is known of it -> the network loaded from there."""

    def make(config: dict | None = None, rows=(), **files) -> Loaded:
        path = tmp_path / "network-000002.keras"
        network.save(path)
        options = None if config is None else Config.from_values(config)
        lines = [{"fakes_sha256": sha256(path), "fakes": path.name, "count": 64, "seed": 1, **row} for row in rows]
        (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
        return Loaded(network, path, options)

    return make


def read(page: str) -> tuple[dict, str]:
    """(the fields, the Markdown) of a card."""
    _, head, body = page.split("---\n", 2)
    return yaml.safe_load(head), body


def section(body: str, title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", body, re.M | re.S)[1]


SWD = {"metric": "swd", "title": "SWD x1e3", "values": {"avg": 12.3}, "reals": "/home/somebody/secret/digits"}
RUN = {
    "config": {"dataset": "/home/somebody/secret/digits", "total_kimg": 5.0, "desc": "mine"},
    "rows": [{**SWD, "values": {"avg": 99.0}}, SWD],
    "data": {"pictures": 5000, "resolution": 8, "label_size": 3, "sha256": "ab" * 32, "beside": "../../secret/digits"},
    "environment": {"tensorflow": "2.99", "hardware": "an abacus, 2 cores", "command": ["/home/somebody/train.py"]},
}


def test_a_card_says_what_the_folder_of_the_run_says(run):
    fields, body = read(model_card.page(run(**RUN), "g.onnx", "onnx", "run()", "CC-BY-4.0"))
    assert fields["license"] == "cc-by-4.0"
    assert {"onnx", "gan", "progressive"} <= set(fields["tags"])
    assert [result["metrics"] for result in fields["model-index"][0]["results"]] == [
        [{"type": "swd", "name": "SWD x1e3", "value": 12.3}]  # the newest of two
    ]
    assert "- images: 5,000\n" in section(body, "Data")
    assert "- licence, as stated at the export: CC-BY-4.0\n" in section(body, "Data")
    assert "--total_kimg=5.0\n" in section(body, "Settings")
    assert "tensorflow 2.99, an abacus, 2 cores." in section(body, "Settings")
    assert "| SWD x1e3 | 12.3 | 64 | digits |" in section(body, "Metrics")
    assert "The training was not over: 2 of 5 thousand real images." in section(body, "Limits")
    assert "a label of 3 classes -> 8x8 pixels" in body
    assert "```python\nrun()\n```" in body


def test_where_the_files_lie_stays_at_home(run):
    assert not re.search("secret|somebody", model_card.page(run(**RUN), "g.onnx", "onnx", "", ""))


def test_what_is_not_known_is_not_claimed(run):
    """A network alone, and one beside damaged files."""
    damaged = {"data": "{", "environment": "[1]"}
    for loaded in (run(), run(**damaged), run(data=[], environment="[" * 100_000)):
        fields, body = read(model_card.page(loaded, "g.npz", "numpy", "", ""))
        assert fields.keys() == {"library_name", "pipeline_tag", "tags"}
        assert section(body, "Data").strip().splitlines() == [
            "- not known: the network does not lie in the folder of its run",
            "- licence, as stated at the export: not stated",
        ]
        assert "Not known" in section(body, "Settings")
        assert section(body, "Metrics").strip() == "None was measured of these weights."
        assert "How good the images are was not measured." in section(body, "Limits")


def test_results_of_other_weights_are_not_its_own(run):
    loaded = run({}, [{**SWD, "fakes_sha256": "0"}, {**SWD, "fakes_sha256": None, "fakes": "training"}])
    fields, body = read(model_card.page(loaded, "g.npz", "numpy", "", ""))
    assert "model-index" not in fields
    assert "SWD" not in body


def test_a_result_that_is_no_number_stays_out_of_the_index(run):
    fields, body = read(model_card.page(run({}, [{**SWD, "values": {"avg": math.nan}}]), "g.npz", "numpy", "", ""))
    assert "model-index" not in fields
    assert "| nan |" in body


@pytest.mark.parametrize("text", HOSTILE)
def test_the_fields_are_those_of_the_hub_for_any_names(run, text):
    loaded = run({"dataset": f"/x/{text}"}, [{**SWD, "reals": f"/y/{text}"}], environment={"hardware": text})
    page = model_card.page(loaded, f"{text}.onnx", "onnx", "", text if text.isprintable() else "")
    fields, body = read(page)
    for name, value in fields.items():
        assert FIELDS[name](value), (name, value)
    assert page.encode()
    assert len(page.splitlines()) == page.count("\n")  # nothing else breaks a line
    outside = re.sub("```.*?```", "", body, flags=re.S)
    assert not re.search(r"(?<!\\)<script", outside)
    assert "#|" not in outside.replace("\\#\\|", "")


@pytest.mark.parametrize(
    ("stated", "fields"),
    [
        ("", {}),
        ("MIT", {"license": "mit"}),
        ("no", {"license": "other", "license_name": "no"}),
        ("Our own, 2nd", {"license": "other", "license_name": "our-own-2nd"}),
        ("https://a.org/L", {"license": "other", "license_name": "a.org-l", "license_link": "https://a.org/L"}),
        ("版权", {"license": "other", "license_name": "as-stated"}),
    ],
)
def test_a_licence_is_the_users(run, stated, fields):
    found, body = read(model_card.page(run(), "g.npz", "numpy", "", stated))
    assert {name: value for name, value in found.items() if name.startswith("license")} == fields
    assert f"as stated at the export: {stated or 'not stated'}\n" in body
