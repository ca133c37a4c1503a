"""The cases of a run that reach far: every layer of a ladder once in a thousand cases, the same wherever they are drawn."""

import pytest

from convcheck import Capabilities
from convcheck.judging.parts import REACHED
from convcheck.judging.reaching import reach
from convcheck.model.ladder import Ladder
from convcheck.model.reach import Reach, targets
from convcheck.model.work import is_large

EVERYTHING = Capabilities()


def some(ladder=Ladder.STANDARD, *, seed=0, first=0, size=200, capabilities=EVERYTHING, dtypes=None):
    return reach(capabilities, dtypes, run_seed=seed, first=first, size=size, ladder=ladder)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_thousand_cases_meet_every_target(seed):
    looked_at = Reach()
    for case in some(seed=seed, size=round(1000 * REACHED[Ladder.STANDARD])):
        looked_at.look_at(case)
    assert [t for t in targets(Ladder.STANDARD) if not looked_at.meets(t)] == []


def test_parts_are_what_the_whole_is_made_of():
    whole = some(Ladder.QUICK, size=90)
    assert some(Ladder.QUICK, size=40) + some(Ladder.QUICK, first=40, size=50) == whole
    assert len(set(whole)) == len(whole)


def test_another_seed_gives_other_cases():
    assert some(Ladder.QUICK, size=20) != some(Ladder.QUICK, seed=1, size=20)


def test_only_what_a_backend_takes_is_drawn():
    few = Capabilities(groups=False, dilation=False, padding_modes=("zeros",), layouts=("contiguous",))
    cases = some(Ladder.QUICK, size=60, capabilities=few)
    assert all(few.unsupported(case) is None and case.violation is None for case in cases)


def test_published_layers_come_in_float32_or_not_at_all():
    assert {case.dtype for case in some(size=200) if is_large(case)} == {"float32"}
    assert not any(map(is_large, some(size=200, dtypes=("float16",))))
