from convcheck.model.diagnosis import HeatMap
from convcheck.report.heat_maps import as_svg, as_text


def test_renderings_show_right_and_wrong():
    found = HeatMap("rows 0–0", "columns 0–2", ((0.0, 0.01, 1.0),))
    assert as_text(found).startswith("·▁█\n")
    svg = as_svg(found)
    assert svg.count("<rect") == 3
    assert "100% wrong" in svg
