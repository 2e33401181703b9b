"""Pictures on a sheet: each where it belongs, whole pixels, sizes that can be looked at."""

import numpy as np
import pytest

from pgan_tf.inference.search.panels import Panel, in_panels, least_size


def plain(side: int, value: int, channels: int = 3) -> np.ndarray:
    return np.full((side, side, channels), value, np.uint8)


@pytest.mark.parametrize(("side", "shown"), [(4, 96), (32, 96), (64, 128), (128, 128), (256, 256), (1024, 256)])
def test_a_picture_is_enlarged_or_reduced_by_a_whole_factor(side, shown):
    page = in_panels([Panel("", [[plain(side, 100)]], [[""]])])
    assert (page == 100).all(-1).sum() == shown * shown


def test_reducing_takes_means():
    checks = np.indices((512, 512)).sum(0)[..., None].astype(np.uint8) % 2 * 200  # [512,512,1]
    page = in_panels([Panel("", [[checks]], [[""]])])
    assert (page == 100).all(-1).sum() == 256 * 256


def test_panels_stand_side_by_side_and_rows_are_level():
    grey, colour = plain(32, 50, 1), plain(32, 90)
    page = in_panels(
        [Panel("one", [[grey], [grey]], [["a"], ["b"]]), Panel("", [[colour] * 2] * 2, [["", "c\nd"]] * 2)]
    )
    ours, theirs = (np.argwhere((page == value).all(-1)) for value in (50, 90))
    assert len(ours) == 2 * 96 * 96
    assert len(theirs) == 4 * 96 * 96
    assert set(ours[:, 0]) == set(theirs[:, 0])
    assert ours[:, 1].max() < theirs[:, 1].min()


def test_a_long_heading_does_not_run_into_the_next_panel():
    def ink(heading: str) -> np.ndarray:
        page = in_panels([Panel(heading, [[plain(32, 255)]], [[""]]), Panel("", [[plain(32, 90)]], [[""]])])
        return (page[:20] < 128).any(-1), np.argwhere((page == 90).all(-1))[:, 1].min()

    dark, next_panel = ink("nearest training images by features (efficientnet-lite0)")
    columns = np.flatnonzero(dark.any(0))
    assert len(columns) > 100
    assert columns.max() < next_panel


@pytest.mark.parametrize("side", [8, 64, 512])
def test_the_size_of_a_page_is_known_before(side):
    """To the gaps and the headings, which are few."""
    images = np.zeros((30, side, side, 3), np.uint8)
    shown = [Panel("a", [[image] * 3 for image in images], [["x\ny"] * 3 for _ in images])] * 2
    (height, width, _), least = in_panels(shown).shape, least_size(30, 6, side, lines=2)
    assert 0 <= width - least[0] < 200
    assert 0 <= height - least[1] < 100
