"""How far a run looked, in words and as a table."""

from dataclasses import replace

from convcheck.model.reach import Reach
from convcheck.model.token import read
from convcheck.report.html import html
from convcheck.report.reach import reach_in_words, reach_rows, reach_strips
from convcheck.report.summary import summary
from full_record import RECORD

BACKEND = RECORD.backends[0]


def record(*tokens):
    reach = Reach()
    for token in tokens:
        reach.look_at(read(token))
    return replace(RECORD, reached=reach.counts(BACKEND.name))


def test_the_words_name_the_largest_sizes_and_the_share_of_targets():
    words = reach_in_words(record("v1,x=3x16x8x300,out=5,k=3", "v1,x=1x2048x1x1,out=1,k=1"), BACKEND)
    assert words.startswith("images up to 8 high, 300 wide, batch up to 3, 2,048 input channels, 5 filters")
    assert "thresholds of reach standard met" in words


def test_the_rows_name_what_was_not_reached():
    (width,) = [row for row in reach_rows(record("v1,x=1x1x1x32,out=1,k=1")) if row[1] == "width"]
    assert width[0] == BACKEND.name
    assert width[2] == "32"
    assert width[3].startswith("1 of ")
    assert width[4].startswith("1, 2, 3, 4, 5, 7 and ")


def test_each_row_with_targets_has_a_strip_with_a_tick_for_each():
    found = record("v1,x=1x1x1x32,out=1,k=1")
    for row, strip in zip(reach_rows(found), reach_strips(found), strict=True):
        met, _, wanted = row[3].partition(" of ")
        assert strip.count("M") == int(wanted or 0)
        assert strip.partition('class="missed"')[0].count("M") == int(met or 0)


def test_nothing_is_said_of_a_backend_that_was_not_judged():
    nothing = replace(RECORD, reached=())
    assert reach_in_words(nothing, BACKEND) == ""
    assert reach_rows(nothing) == []


def test_every_report_has_the_table():
    found = record("v1,x=7x1x1x1,out=1,k=1")
    assert "Reach (standard)" in summary(found, "markdown")
    assert "<h2>Reach (standard)</h2>" in html(found)
