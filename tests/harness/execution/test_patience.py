"""A candidate may hang a few times, and not in every call for ever."""

import pytest

from convcheck.execution.patience import Patience


def after(*calls):
    patience = Patience()
    for answers, hangs in calls:
        patience.saw(answers=answers, hangs=hangs)
    return patience.is_over


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([(0, 1)] * 4, ""),
        ([(0, 3)] * 5, "hung 5 times in a row, and answered nothing in between"),
        ([(1, 0), *[(0, 1)] * 19], ""),
        ([(1, 0), *[(0, 1)] * 20], "hung 20 times in a row"),
        ([(2, 1)] * 99, ""),
        ([(2, 1)] * 100, "hung 100 times"),
        ([(0, 0)] * 500, ""),
    ],
)
def test_how_often_a_candidate_may_hang(calls, said):
    assert said in after(*calls)
    assert bool(said) is bool(after(*calls))
