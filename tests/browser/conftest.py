"""Tests in a real browser, which are not part of the suite: they need a browser, playwright and onnxruntime-web.

    pip install playwright && npm pack onnxruntime-web@1.23.2 && tar xzf onnxruntime-web-1.23.2.tgz
    pytest tests/browser --browser=/usr/bin/chromium --onnxruntime_web=package

Without --browser nothing is collected here.
"""

import sys

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.networks import Generator

collect_ignore_glob = [] if any(word.startswith("--browser=") for word in sys.argv) else ["*.py"]
PATIENCE = 60_000  # milliseconds


def pytest_addoption(parser):
    parser.addoption("--browser", help="program of Chromium, Chrome or Edge")
    parser.addoption("--onnxruntime_web", help="folder of the unpacked package")


@pytest.fixture(scope="session")
def browser(request):
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=request.config.getoption("--browser"), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens an address in a tab of a visitor of its own; errors and what it asks for from elsewhere are faults."""
    opened, faults = [], []

    def visit(address, scheme="light"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        home = address.split("/")[2]
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: None if _is_home(request.url, home) else faults.append(request.url))
        page.goto(address)
        return page

    yield visit
    for context in opened:
        context.close()
    assert not faults


def _is_home(url: str, home: str) -> bool:
    return url.startswith((f"http://{home}/", "data:", "blob:", "file:"))


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of a network with three labels beside its data set."""
    folder = tmp_path_factory.mktemp("shown")
    with DatasetWriter(folder / "set", 16, 1, total=50) as writer:
        for picture in np.random.default_rng(0).integers(0, 256, (50, 16, 16, 1), np.uint8):
            writer.add(picture)
    network = Generator(resolution=16, num_channels=1, label_size=3, fmap_base=64, fmap_max=8, latent_size=20)
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    run = folder / "00000-shown-s1"
    run.mkdir()
    (run / "config.json").write_text(Config.from_values({"latent_size": 20, "dataset": str(folder / "set")}).to_json())
    network.save(run / "network-000010.keras")
    return run
