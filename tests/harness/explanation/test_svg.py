from xml.etree import ElementTree as ET

import pytest

from convcheck.explanation.geometry import Geometry
from convcheck.explanation.svg import groups_svg, input_svg, kernel_svg, output_svg, to_scale
from convcheck_reference import Conv2dParams

LAYER = Conv2dParams(8, 12, (3, 5), stride=2, padding=(1, 2), dilation=(2, 1), groups=4)
SMALL = Geometry.of(LAYER, (7, 5))
HUGE = Geometry.of(Conv2dParams(1, 1, 255, stride=7, padding=3), (1 << 20, 1 << 20))
THIN = Geometry.of(Conv2dParams(1, 1, 1), (1, 1_000_000))


def drawn(text):
    picture = ET.fromstring(text)
    return picture, {name: [e for e in picture if e.get("class") == name] for e in picture for name in [e.get("class")]}


def box(element):
    return tuple(float(element.get(name)) for name in ("x", "y", "width", "height"))


def test_image_padding_and_windows_are_to_scale():
    _, parts = drawn(input_svg(SMALL))
    unit = 22
    assert box(parts["pad"][0]) == (0, 0, 9 * unit, 9 * unit)
    assert box(parts["image"][0]) == (2 * unit, unit, 5 * unit, 7 * unit)
    assert box(parts["window shown"][0]) == (0, 0, 5 * unit, 5 * unit)
    assert [box(other)[:2] for other in parts["window other"]] == [
        (2 * unit, 0),
        (0, 2 * unit),
        (4 * unit, 4 * unit),
    ]


def test_the_taps_are_a_square_each_a_dilation_apart():
    _, parts = drawn(input_svg(SMALL))
    corners = [square.split("h")[0] for square in parts["taps"][0].get("d").split("M")[1:]]
    assert corners == [f"{22 * x} {22 * y}" for y in (0, 2, 4) for x in range(5)]


def test_the_output_has_the_cells_of_these_windows():
    _, parts = drawn(output_svg(SMALL, wrong=[(2, 1)]))
    assert [box(parts[name][0])[:2] for name in ("shown", "other", "wrong")] == [(0, 0), (22, 0), (22, 44)]


def test_wrong_pixels_and_taps_are_marked_where_they_are():
    _, parts = drawn(input_svg(SMALL, wrong=[(0, 0)]))
    assert box(parts["wrong"][0])[:2] == (44, 22)
    _, parts = drawn(kernel_svg(LAYER, wrong=[(2, 4)]))
    assert box(parts["wrong"][0])[:2] == (88, 44)


@pytest.mark.parametrize("geometry", [HUGE, THIN, SMALL], ids=["huge", "thin", "small"])
def test_any_size_is_drawn_in_few_elements_that_fit_a_phone(geometry):
    for text in (input_svg(geometry), output_svg(geometry)):
        picture, _ = drawn(text)
        assert len(list(picture)) <= 12
        assert len(text) < 5000
        assert max(float(picture.get("width")), float(picture.get("height"))) <= 358
        assert picture.get("aria-label")


def test_a_sliver_is_drawn_thicker_than_it_is():
    assert not to_scale(1, 1_000_000)
    assert to_scale(9, 9)


def test_each_group_has_lines_of_its_own():
    picture, parts = drawn(groups_svg(LAYER))
    assert len(parts["link even"]) == len(parts["link odd"]) == 2
    assert all(path.get("d").count("M") == 2 * 3 for path in parts["link even"])
    assert picture.get("aria-label") == "4 groups: 2 channels of the input, 3 filters in each"


def test_of_many_groups_and_channels_a_few_are_drawn_and_the_others_counted():
    picture, parts = drawn(groups_svg(Conv2dParams(1024, 2048, 1, groups=128)))
    assert len(parts["link even"]) + len(parts["link odd"]) == 4
    assert picture.find("text").text == "124 more groups; 4 channels of each are drawn"


def test_a_marked_cell_is_large_enough_to_be_seen():
    _, parts = drawn(output_svg(HUGE))
    assert box(parts["shown"][0])[2:] == (6, 6)
