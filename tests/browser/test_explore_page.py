"""The page of generate.py explore: somebody draws, clicks, slides, uploads; two visitors at once."""

import pytest
from PIL import Image
from tiny_networks import tiny

from pgan_tf.explore import serve
from pgan_tf.explore.uploads import MOST_STEPS


@pytest.fixture(scope="module")
def address(run, tmp_path_factory):
    """Of a page with two networks: a run's, which is grey and has labels, and one in colour without."""
    tiny(resolution=32).save(colour := tmp_path_factory.mktemp("other") / "colour.keras")
    with serve.private_folder():
        page, how = serve.opened([run, colour])
        _, address, _ = page.launch(**how, prevent_thread_lock=True)
        yield address
        page.close(verbose=False)


@pytest.fixture
def page(visit, address):
    page = visit(address)
    page.wait_for_selector("#drawn img")
    return page


def source(page, selector: str) -> str:
    return page.locator(selector).first.get_attribute("src")


def changed(page, selector: str, before: str | None) -> str:
    """The address of a picture once it is another one."""
    script = "([s, b]) => { const i = document.querySelector(s); return i && i.complete && i.src && i.src !== b }"
    page.wait_for_function(script, arg=[selector, before])
    return source(page, selector)


def choose(page, list_name: str, option: str):
    page.get_by_label(list_name).first.click()
    page.get_by_role("option", name=option).click()


def pin_two(page):
    for number in (1, 3):
        before = source(page, "#chosen img")
        page.locator("#drawn button").nth(number).click()
        changed(page, "#chosen img", before)
        page.click("#pin")
        page.wait_for_function("n => document.querySelectorAll('#pins img').length === n", arg=(number + 1) // 2)


def test_draw_choose_and_slide(page):
    assert page.locator("#drawn img").count() == 12
    first = source(page, "#drawn img")
    page.click("#draw")
    changed(page, "#drawn img", first)
    chosen = source(page, "#chosen img")
    page.locator("#drawn button").nth(4).click()
    changed(page, "#chosen img", chosen)
    slider = page.get_by_label("range slider for direction 1")
    slider.focus()
    page.keyboard.press("ArrowRight")
    once = changed(page, "#changed img", None)
    page.keyboard.press("ArrowRight")
    changed(page, "#changed img", once)


def test_pin_mix_and_film(page):
    pin_two(page)
    page.get_by_role("tab", name="Mix").click()
    page.get_by_role("button", name="Mix", exact=True).click()
    page.wait_for_function("document.querySelectorAll('#mixture img').length === 3")
    page.get_by_role("tab", name="Interpolate").click()
    page.click("#film")
    page.wait_for_selector("video")


def test_an_upload_is_found(page, tmp_path):
    Image.new("L", (40, 30), 200).save(tmp_path / "mine.png")
    page.get_by_role("tab", name="Find my picture").click()
    page.set_input_files("#upload input[type=file]", tmp_path / "mine.png")
    page.get_by_text("mine.png").wait_for()
    page.click("#find")
    page.wait_for_selector("#found img")
    page.get_by_text("200 of 200 steps").wait_for()


def test_a_search_that_is_stopped_keeps_the_best_so_far(page, tmp_path):
    Image.new("L", (16, 16), 90).save(tmp_path / "mine.png")
    page.get_by_role("tab", name="Find my picture").click()
    page.set_input_files("#upload input[type=file]", tmp_path / "mine.png")
    page.get_by_text("mine.png").wait_for()
    page.get_by_label("number input for steps").fill(str(MOST_STEPS))
    page.keyboard.press("Tab")
    page.click("#find")
    page.wait_for_selector("#found img")
    page.get_by_role("button", name="Stop").click()
    best = source(page, "#found img")
    page.get_by_role("tabpanel").get_by_role("button", name="Pin the result").locator("visible=true").click()
    page.wait_for_selector("#pins img")
    assert page.get_by_text(f"of {MOST_STEPS} steps").is_visible()
    assert not page.get_by_text(f"{MOST_STEPS} of {MOST_STEPS} steps").is_visible()
    assert source(page, "#found img") == best


def test_another_network_begins_anew(page):
    pin_two(page)
    grey, about = source(page, "#drawn img"), page.locator("#about").inner_text()
    page.get_by_label("label").first.wait_for()
    choose(page, "network", "colour")
    changed(page, "#drawn img", grey)
    assert "32x32" in page.locator("#about").inner_text() != about
    assert page.evaluate("document.querySelector('#drawn img').naturalWidth") == 32
    page.wait_for_function("document.querySelectorAll('#pins img').length === 0")
    assert page.get_by_label("label", exact=True).count() == 0
    pin_two(page)  # nothing is left of the other network's points
    choose(page, "network", "tiny")
    page.wait_for_function("document.querySelector('#drawn img').naturalWidth === 16")


def test_a_bad_upload_is_refused_in_a_line(page, tmp_path):
    (tmp_path / "bad.png").write_text("<b>no picture</b>")
    page.get_by_role("tab", name="Find my picture").click()
    page.set_input_files("#upload input[type=file]", tmp_path / "bad.png")
    page.click("#find")
    page.get_by_text("cannot identify image file").wait_for()


def test_two_tabs_have_pins_of_their_own(page, visit, address):
    other = visit(address, "dark")
    other.wait_for_selector("#drawn img")
    pin_two(page)
    assert other.locator("#pins img").count() == 0
    colours = [p.evaluate("getComputedStyle(document.body).backgroundColor") for p in (page, other)]
    assert colours[0] != colours[1]
