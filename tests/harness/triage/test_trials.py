from convcheck.model.token import read
from convcheck.triage.trials import Trials

FIRST, SECOND, THIRD = (read(f"v1,x=1x1x1x{width},out=1,k=1") for width in (3, 2, 1))


def test_each_case_is_asked_once_and_none_where_nothing_is_left():
    asked = []

    def fails(case):
        asked.append(case)
        return True

    trials = Trials(FIRST, fails, 1)
    assert trials.fails(FIRST)
    assert not asked  # what failed already
    assert trials.fails(SECOND)
    assert trials.fails(SECOND)
    assert not trials.fails(THIRD)
    assert asked == [SECOND]
    assert (trials.tried, trials.left) == (1, 0)
    trials.left = 1
    assert trials.fails(THIRD)
