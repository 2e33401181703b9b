"""The folder of a web page: its network is the generator, truncated as by generate.py; nothing else is needed."""

import base64
import json
import re
import shutil
import stat
import subprocess

import numpy as np
import onnxruntime
import pytest

from pgan_tf.grids import to_uint8
from pgan_tf.inference.sample import Sampler
from pgan_tf.interop import web_page
from pgan_tf.interop.export import export
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import NetworkError

LABELS = {"classes": 3, "no labels": 0}


@pytest.fixture(scope="module", params=LABELS)
def exported(request, tmp_path_factory):
    """(network, its page), with a name that HTML would take for its own."""
    folder = tmp_path_factory.mktemp("web")
    network = Generator(resolution=16, fmap_base=64, fmap_max=8, latent_size=6, label_size=LABELS[request.param])
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    network.save(folder / "g.keras")
    export(folder / "g.keras", folder / "<b> & $title", "web")
    return network, folder / "<b> & $title"


@pytest.mark.parametrize("truncation", [1.0, 0.4, 0.0])
def test_pictures_are_those_of_the_sampler(exported, truncation):
    network, page = exported
    latents = np.random.default_rng(1).standard_normal((5, 6)).astype(np.float32)
    classes = max(1, network.label_size)
    labels = np.eye(classes, network.label_size, dtype=np.float32)[np.arange(5) % classes]  # [5,K]
    feed = {"latents": latents, "truncation": np.array([truncation], np.float32)}
    session = onnxruntime.InferenceSession(page / "network.onnx")
    images = session.run(["images"], {**feed, "labels": labels} if network.label_size else feed)[0]
    expected = np.stack(list(Sampler(network, truncation).stream(latents, labels)))
    assert np.abs(images.astype(int) - expected).max() <= 1
    assert truncation == 0 or np.ptp(images.astype(int), axis=0).max() > 10
    if truncation == 1:
        assert np.abs(images - to_uint8(network((latents, labels)).numpy()).astype(int)).max() <= 1


def test_the_page_is_complete_and_names_one_version(exported):
    network, page = exported
    assert sorted(path.name for path in page.iterdir()) == ["index.html", "network.js", "network.onnx"]
    html = (page / "index.html").read_text()
    assert "<title>&lt;b&gt; &amp; $title</title>" in html
    facts = json.loads(re.search(r"const network = (\{.*?\n\});", html, re.S)[1])
    assert (facts["latent_size"], facts["label_size"], facts["resolution"]) == (6, network.label_size, 16)
    assert facts["runtime"]["cdn"] == f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{web_page.VERSION}/dist/"
    assert len(set(re.findall(r"https?://[^\s\"']+", html))) == 1
    script = re.search('"(.*)"', (page / "network.js").read_text())[1]
    assert base64.b64decode(script) == (page / "network.onnx").read_bytes()


@pytest.fixture
def package(tmp_path):
    """What looks like onnxruntime-web."""
    dist = tmp_path / "package" / "dist"
    dist.mkdir(parents=True)
    for name in (web_page.FILE, f"{web_page.WASM}.mjs", f"{web_page.WASM}.wasm", "more.js"):
        (dist / name).write_bytes(f"{name} \x00".encode())
    return dist.parent


def check(runtime, package):
    names = [web_page.FILE, f"{web_page.WASM}.mjs", f"{web_page.WASM}.wasm"]
    assert sorted(path.name for path in runtime.iterdir()) == sorted([*names, "as_script.js"])
    assert all((runtime / name).read_bytes() == (package / "dist" / name).read_bytes() for name in names)
    script = json.loads(re.search(r"= (.*);", (runtime / "as_script.js").read_text())[1])
    assert base64.b64decode(script["wasm"]) == (runtime / names[2]).read_bytes()


@pytest.mark.parametrize("inner", ["", "dist"])
def test_a_runtime_that_is_given_is_put_beside_the_page(exported, package, inner, tmp_path):
    _, page = exported
    export(page.parent / "g.keras", tmp_path / "page", "web", runtime=str(package / inner))
    check(tmp_path / "page" / "runtime", package)


def stub(folder, body: str):
    """A program named npm."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "npm").chmod(stat.S_IRWXU)


def test_npm_fetches_the_runtime(exported, package, tmp_path, monkeypatch):
    _, page = exported
    subprocess.run(["tar", "czf", tmp_path / "p.tgz", "package"], cwd=tmp_path, check=True)
    stub(tmp_path / "bin", f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/p.tgz .')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    export(page.parent / "g.keras", tmp_path / "page", "web", runtime="npm")
    check(tmp_path / "page" / "runtime", package)
    assert f"onnxruntime-web@{web_page.VERSION}" in (tmp_path / "asked").read_text()


FAULTS = [("exit 1", "npm cannot fetch"), ("exit 0", "npm cannot fetch"), (None, "not installed")]


@pytest.mark.parametrize(("body", "line"), FAULTS)
def test_without_npm_nothing_is_written(exported, body, line, tmp_path, monkeypatch):
    _, page = exported
    stub(tmp_path / "bin", body or "")
    if body is None:
        shutil.rmtree(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/no/such/place")
    with pytest.raises(NetworkError, match=line):
        export(page.parent / "g.keras", tmp_path / "page", "web", runtime="npm")
    assert not list(tmp_path.glob("page*"))
