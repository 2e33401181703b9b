"""curves.svg: whatever the numbers, a drawing that can be read, within its panel."""

import math
import re
import xml.etree.ElementTree

import pytest

from pgan_tf.training import curves

NUMBERS = [
    0.0,
    -1.0,
    1.0,
    1e-320,
    5e-324,
    1e-31,
    3e-9,
    1e29,
    -1e29,
    1e30,
    1e308,
    -1.7e308,
    math.inf,
    -math.inf,
    math.nan,
]


@pytest.mark.parametrize("first", NUMBERS)
def test_any_two_values_can_be_drawn(first):
    for second in NUMBERS:
        drawing = curves.svg([curves.Panel("a & <b>", {"x": [(1.0, first), (2.0, second)], "y": [(0.0, 0.0)]})])
        root = xml.etree.ElementTree.fromstring(drawing)
        places = [
            float(number)
            for line in root.iter("{*}polyline")
            for place in line.attrib["points"].split()
            for number in place.split(",")
        ]
        assert all(0 <= place <= curves.WIDTH for place in places), (first, second)


def test_there_is_no_drawing_of_nothing():
    assert curves.svg([]) == ""
    assert curves.svg([curves.Panel("a", {"x": [], "y": [(1.0, math.nan)]})]) == ""


@pytest.mark.parametrize(("low", "high", "expected"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-7, 9, [-5, 0, 5])])
def test_ticks_are_round(low, high, expected):
    assert curves.Axis(low, high, 0, 100).ticks() == pytest.approx(expected)


def test_higher_values_stand_higher_and_later_ones_further_right():
    drawing = curves.svg([curves.Panel("a", {"x": [(1.0, 2.0), (3.0, 5.0)]})])
    (x1, y1), (x2, y2) = (map(float, p.split(",")) for p in re.search('points="(.*?)"', drawing)[1].split())
    assert x1 < x2
    assert y1 > y2


def test_long_lines_are_thinned():
    drawing = curves.svg([curves.Panel("a", {"x": [(float(n), float(n)) for n in range(25_000)]})])
    assert len(re.search('points="(.*?)"', drawing)[1].split()) <= curves.MOST_POINTS
