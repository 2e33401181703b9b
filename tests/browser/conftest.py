"""Tests in a real browser, which are not part of the suite: they need a browser, playwright and onnxruntime-web.

    pip install playwright && npm pack onnxruntime-web@1.23.2 && tar xzf onnxruntime-web-1.23.2.tgz
    pytest tests/browser --browser=/usr/bin/chromium --onnxruntime_web=package

Without --browser nothing is collected here.
"""

import sys

import pytest
from tiny_networks import tiny_run

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
    return tiny_run(tmp_path_factory.mktemp("shown"))
