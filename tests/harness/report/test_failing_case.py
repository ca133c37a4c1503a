from dataclasses import replace

import pytest

from convcheck.model.reproduction import Reproduction
from convcheck.report.failing_case import failing_drawing, failing_figures
from full_record import COMPLETE

TOKEN = "v1,x=1x1x5x6,out=1,k=3x2"


def failing(quantity, index, token=TOKEN):
    evidence = replace(COMPLETE.verdict.evidence, index=index)
    verdict = replace(COMPLETE.verdict, quantity=quantity, evidence=evidence)
    return replace(COMPLETE, verdict=verdict, reproduction=Reproduction(token=token))


@pytest.mark.parametrize(
    ("quantity", "index", "captions"),
    [
        (
            "output",
            (0, 0, 2, 4),
            [
                "window of output (2, 4) reads",
                "Output of 3 × 5, a cell for each window; red: the worst element, (0, 0, 2, 4)",
            ],
        ),
        ("grad_input", (0, 0, 4, 5), ["red: the worst element", "Output of 3 × 5"]),
        (
            "grad_weight",
            (0, 0, 2, 1),
            ["Image of 5 × 6", "The kernel; red: the worst element, (0, 0, 2, 1)", "Output of 3 × 5"],
        ),
        ("grad_bias", (0,), ["Image of 5 × 6", "Output of 3 × 5"]),
        ("output", (0, 0, 9, 9), ["window of output (0, 0)", "Output of 3 × 5"]),
        ("output", (0, 0, -1, 0), ["window of output (0, 0)", "Output of 3 × 5"]),
    ],
)
def test_the_worst_element_is_marked_where_it_is(quantity, index, captions):
    figures = failing_figures(failing(quantity, index))
    assert len(figures) == len(captions)
    assert all(words in figure.caption for words, figure in zip(captions, figures, strict=True))
    marked = sum('class="wrong"' in figure.svg for figure in figures)
    assert marked == sum("ed: the worst element" in figure.caption for figure in figures)


def test_groups_of_the_failing_case_are_drawn_as_well():
    *_, groups = failing_figures(failing("output", (0, 1, 0, 0), "v1,x=1x2x1x1,out=4,k=1,g=2"))
    assert groups.caption.startswith("Channels (left) and filters (right): 2 groups")


def test_the_drawing_shows_the_window_of_the_worst_output():
    assert "marked is the window of output (2, 4)" in failing_drawing(failing("output", (0, 0, 2, 4)))


@pytest.mark.parametrize("token", ["", "v1,x=1x1x5x6,out=1,k=3,s=0", f"{TOKEN},flaw=input_ndim"])
def test_without_a_legal_case_nothing_is_drawn(token):
    found = failing("call", (), token)
    assert failing_figures(found) == ()
    assert failing_drawing(found) == ""
