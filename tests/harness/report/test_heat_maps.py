from xml.etree import ElementTree as ET

from convcheck.model.diagnosis import HeatMap
from convcheck.report.heat_maps import as_svg, as_text

FOUND = HeatMap("rows 0–1", 'columns "0"–2', ((0.0, 0.01, 1.0), (0.5, 0.99, 0.0)))


def test_text_tells_right_and_wrong_from_almost_right_and_almost_wrong():
    assert as_text(FOUND) == '·▁█\n▄▇·\n(down: rows 0–1; across: columns "0"–2)'


def test_a_picture_has_a_square_for_each_cell():
    picture = ET.fromstring(as_svg(FOUND, cell=10))
    assert picture.attrib["aria-label"] == 'share of wrong elements; down: rows 0–1; across: columns "0"–2'
    assert (picture.get("width"), picture.get("height"), picture.get("viewBox")) == ("30", "20", "0 0 30 20")
    assert [(square.get("x"), square.get("y"), square[0].text) for square in picture] == [
        ("0", "0", "0% wrong"),
        ("10", "0", "1% wrong"),
        ("20", "0", "100% wrong"),
        ("0", "10", "50% wrong"),
        ("10", "10", "99% wrong"),
        ("20", "10", "0% wrong"),
    ]
    opacity = [float(square.get("fill-opacity")) for square in picture]
    assert opacity[0] < opacity[1] < opacity[3] < opacity[4] < opacity[2] == 1.0
