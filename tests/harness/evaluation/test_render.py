import sys
from xml.etree import ElementTree as ET

import pytest

from convcheck.defects import Category
from convcheck.evaluation.certificate import CONVCHECK, Certificate, Detection, FalseAlarmCheck
from convcheck.evaluation.render import PlotUnavailableError, curve, plot, tables, write

ROWS = (
    Detection("a", Category.BIAS, CONVCHECK, 3, "exact", "C2D-BIAS-1", "v1,x=1x1x1x1,out=1,k=1"),
    Detection("a", Category.BIAS, "plain", None),
    Detection("b", Category.STRIDE, CONVCHECK, None),
    Detection("b", Category.STRIDE, "plain", 1),
)
CERTIFICATE = Certificate(100, 50, 7, ROWS, (FalseAlarmCheck("pairwise", 50, 0),))


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_the_tables_show_detections_methods_misses_and_variants(style):
    shown = tables(CERTIFICATE, style)
    assert "1 of 2 defects detected within 100 cases; 0 false alarms in 50 cases of 1 legal variants; seed 7." in shown
    for part in ("C2D-BIAS-1", "plain", "pairwise", "Defects not detected", "never"):
        assert part in shown


def test_the_curve_rises_from_the_first_case_to_the_budget():
    assert curve(CERTIFICATE.by(CONVCHECK), 100) == ([1, 3, 100], [0.0, 50.0, 50.0])


def test_the_files_come_without_the_plot_where_matplotlib_is_absent(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotUnavailableError, match=r"convcheck\[plot\]"):
        plot(CERTIFICATE)
    names = [path.name for path in write(CERTIFICATE, tmp_path)]
    assert names == ["certificate.md", "certificate.txt", "certificate.jsonl"]


def test_the_plot_is_a_self_contained_drawing():
    pytest.importorskip("matplotlib")
    first = plot(CERTIFICATE)
    assert first == plot(CERTIFICATE)
    root = ET.fromstring(first)
    assert root.tag.endswith("svg")
    assert "plain" in first
