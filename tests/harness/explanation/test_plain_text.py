import pytest

from convcheck.explanation.geometry import Geometry, axes
from convcheck.explanation.plain_text import HIGH, WIDE, drawing, group_lines, input_rows, output_rows, padding_line
from convcheck_reference import Conv2dParams


def test_each_pixel_is_a_character():
    layer = Conv2dParams(1, 1, (2, 3), stride=2, padding=(1, 2), dilation=(2, 1))
    geometry = Geometry.of(layer, (5, 4))
    assert input_rows(geometry) == [
        "███·····",
        "▒▒▒░░░··",
        "███░░░··",
        "··░░░░··",
        "··░░░░··",
        "··░░░░··",
        "········",
    ]
    assert output_rows(geometry) == ["█░░", "░░░", "░░░"]


def test_another_window_may_be_shown():
    geometry = Geometry.of(Conv2dParams(1, 1, 1), (2, 3), (1, 2))
    assert input_rows(geometry) == output_rows(geometry) == ["░░░", "░░█"]


@pytest.mark.parametrize("size", [(224, 224), (1, 1_000_000), (1 << 20, 3), (65, 25)])
def test_large_images_are_shrunk_evenly_and_say_so(size):
    geometry = Geometry.of(Conv2dParams(3, 64, 1), size)
    rows = input_rows(geometry)
    assert len(rows) <= HIGH
    assert len(set(map(len, rows))) == 1
    assert len(rows[0]) <= WIDE
    assert rows[0][0] == "█"
    assert "a character of the image stands for" in drawing(geometry)
    assert max(map(len, drawing(geometry).split("\n"))) <= 100


def test_no_tap_is_lost_where_characters_stand_for_several_pixels():
    geometry = Geometry.of(Conv2dParams(1, 1, (1, 3), dilation=50), (1, 640))
    assert input_rows(geometry)[0][:12] == "█▒▒▒▒█▒▒▒▒█░"


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("zeros", "zero zero [0 1 2 3 4] zero zero"),
        ("reflect", "2 1 [0 1 2 3 4] 3 2"),
        ("replicate", "0 0 [0 1 2 3 4] 4 4"),
        ("circular", "3 4 [0 1 2 3 4] 0 1"),
    ],
)
def test_what_the_padding_reads_is_a_line_of_pixels(mode, line):
    _, across = axes(Conv2dParams(1, 1, 3, padding=2, padding_mode=mode), (5, 5))
    assert padding_line(across) == line


def test_much_padding_on_many_pixels_is_shortened():
    _, across = axes(Conv2dParams(1, 1, 3, padding=1000, padding_mode="circular"), (2000, 2000))
    assert padding_line(across) == ("1000 1001 1002 1003 1004 1005 1006 1007 … [0 1 2 … 1998 1999] 0 1 2 3 4 5 6 7 …")


def test_groups_say_who_reads_what():
    assert group_lines(Conv2dParams(4, 2, 1, groups=2)) == [
        "group 0: filter 0 reads channels 0–1",
        "group 1: filter 1 reads channels 2–3",
    ]
    many = group_lines(Conv2dParams(1 << 40, 1 << 41, 1, groups=1 << 40))
    assert many[2:] == ["…", "group 1099511627775: filters 2199023255550–2199023255551 read channel 1099511627775"]
