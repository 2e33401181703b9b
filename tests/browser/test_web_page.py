"""The page of network_tool.py export --format=web draws what ONNX Runtime draws, by a server and from file://."""

import functools
import http.server
import threading

import numpy as np
import onnxruntime
import pytest

from pgan_tf.interop.export import export

DRAW = "([z, l, t]) => pgan.draw(z.map((x, i) => ({latent: x, label: l[i]})), t).then((x) => Array.from(x))"


@pytest.fixture(scope="module")
def folder(run, request):
    out = run.parent / "page"
    export(run, out, "web", runtime=request.config.getoption("--onnxruntime_web"))
    return out


@pytest.fixture(scope="module", params=["http", "file"])
def address(request, folder):
    if request.param == "file":
        yield f"file://{folder}/index.html"
        return
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(visit, address):
    page = visit(address)
    page.evaluate("pgan.ready")
    return page


@pytest.mark.parametrize("truncation", [1.0, 0.4])
def test_pictures_are_those_of_onnx_runtime(page, folder, truncation):
    latents = np.random.default_rng(0).standard_normal((6, 20)).astype(np.float32)
    labels = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    found = page.evaluate(DRAW, [latents.tolist(), labels.tolist(), truncation])
    feed = {"latents": latents, "labels": labels, "truncation": np.array([truncation], np.float32)}
    expected = onnxruntime.InferenceSession(folder / "network.onnx").run(["images"], feed)[0].astype(int)
    assert np.abs(np.reshape(found, expected.shape) - expected).max() <= 1


def pixels(page, selector: str) -> str:
    return page.evaluate("s => document.querySelector(s).toDataURL()", selector)


def test_controls_change_the_pictures_and_come_back(page):
    first, middle = pixels(page, "#grid canvas"), pixels(page, "#middle")
    seen = [first]
    for control, value in (("seed", "2"), ("truncation", "0.5"), ("label", "2")):
        page.evaluate(SET, [control, value])
        page.wait_for_function("before => document.querySelector('#grid canvas').toDataURL() !== before", arg=seen[-1])
        seen.append(pixels(page, "#grid canvas"))
    for control, value in (("label", "all"), ("truncation", "1"), ("seed", "1")):
        page.evaluate(SET, [control, value])
    page.wait_for_function("before => document.querySelector('#grid canvas').toDataURL() === before", arg=first)
    page.wait_for_function("before => document.querySelector('#middle').toDataURL() === before", arg=middle)
    assert len(set(seen)) == 4


SET = "([id, value]) => { byId(id).value = value; byId(id).dispatchEvent(new Event('change')); }"
SLIDE = "t => { byId('way').value = t; byId('way').dispatchEvent(new Event('input')); }"


@pytest.mark.parametrize(("end", "canvas"), [(0, "#a"), (1, "#b")])
def test_the_slider_leads_from_one_to_the_other(page, end, canvas):
    page.locator("#grid button").nth(3).click()
    page.locator("#grid button").nth(7).click()
    page.evaluate(SLIDE, end)
    same = "s => document.querySelector('#middle').toDataURL() === document.querySelector(s).toDataURL()"
    page.wait_for_function(same, arg=canvas)
    assert pixels(page, "#a") != pixels(page, "#b")


def test_it_is_light_or_dark_as_the_visitor_is(visit, address):
    colours = {visit(address, scheme).evaluate("getComputedStyle(document.body).backgroundColor")
               for scheme in ("light", "dark")}  # fmt: skip
    assert len(colours) == 2
