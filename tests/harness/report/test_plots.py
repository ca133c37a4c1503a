import math
from xml.etree import ElementTree as ET

import pytest

from convcheck.report.plots import margin_bar


@pytest.mark.parametrize(
    ("margin", "name", "length"),
    [
        (0.0, "within", 0),
        (1e-9, "within", 0),
        (0.1, "within", 80),
        (1.0, "within", 120),
        (10.0, "over", 160),
        (math.inf, "over", 200),
        (math.nan, "over", 200),
    ],
)
def test_a_bar_is_as_long_as_the_logarithm_of_its_margin(margin, name, length):
    track, bar, bound = ET.fromstring(margin_bar(margin))
    assert (bar.get("class"), float(bar.get("width"))) == (name, length)
    assert float(track.get("width")) == 200
    assert bound.get("d") == "M120 0V14"
