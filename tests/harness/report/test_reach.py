"""How far a run looked, in words and as a table."""

from dataclasses import replace

from convcheck.model.reach import Reach
from convcheck.model.token import read
from convcheck.report.html import html
from convcheck.report.reach import reach_in_words, reach_table
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


def test_the_table_names_what_was_not_reached():
    lines = reach_table(record("v1,x=1x1x1x32,out=1,k=1"), "text").splitlines()
    (width,) = [line for line in lines if f"{BACKEND.name}  width" in line]
    assert " 32 " in width
    assert "1 of " in width
    assert "1, 2, 3, 4, 5, 7 and " in width


def test_nothing_is_said_of_a_backend_that_was_not_judged():
    nothing = replace(RECORD, reached=())
    assert reach_in_words(nothing, BACKEND) == reach_table(nothing, "text") == ""


def test_every_report_has_the_table():
    found = record("v1,x=7x1x1x1,out=1,k=1")
    assert "Reach (standard)" in summary(found, "markdown")
    assert "<h2>Reach (standard)</h2>" in html(found)
