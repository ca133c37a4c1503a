import re
from xml.etree import ElementTree as ET

from convcheck.model.diagnosis import HeatMap
from convcheck.report.heat_maps import as_svg, as_text

FOUND = HeatMap("rows 0–1", 'columns "0"–2', ((0.0, 0.01, 1.0), (0.5, 0.99, 0.0)))


def test_text_tells_right_and_wrong_from_almost_right_and_almost_wrong():
    assert as_text(FOUND) == '·▁█\n▄▇·\n(down: rows 0–1; across: columns "0"–2)'


def squares(path):
    """The corners of the squares of a path, in cells of 36 pixels."""
    return [(int(x) // 36, int(y) // 36) for x, y in re.findall(r"M(\d+) (\d+)h", path.get("d"))]


def test_a_picture_has_a_square_for_each_cell_the_darker_the_more_is_wrong():
    picture = ET.fromstring(as_svg(FOUND))
    assert picture.attrib["aria-label"] == 'share of wrong elements; down: rows 0–1; across: columns "0"–2'
    shades = sorted((float(path.get("fill-opacity")), squares(path)) for path in picture.iter("path"))
    assert [cells for _, cells in shades] == [[(0, 0), (2, 1)], [(1, 0)], [(0, 1)], [(1, 1)], [(2, 0)]]
    assert shades[-1][0] == 1.0
    assert len({opacity for opacity, _ in shades}) == len(shades)


def test_its_axes_are_named_and_large_cells_have_their_percent():
    texts = [text.text for text in ET.fromstring(as_svg(FOUND)).iter("text")]
    assert texts == ['columns "0"–2 →', "rows 0–1 →", "1", "100", "50", "99"]


def test_the_largest_map_fits_a_phone_without_numbers():
    picture = ET.fromstring(as_svg(HeatMap("rows 0–511", "columns 0–511", ((0.5,) * 16,) * 16)))
    assert float(picture.get("width")) <= 358
    assert len(list(picture.iter("text"))) == 2
    assert len(list(picture.iter("path"))) == 1
