"""The most telling cases come first; which cases there are stays the same."""

from hypothesis import given
from hypothesis import strategies as st

from convcheck.defects import DEFECTS
from convcheck.judging.blocks import generate
from convcheck.judging.prioritization import prioritized
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck_backends import NumpyBackend

PLAIN = read("v1,x=1x2x4x4,out=2,k=1")
WIDE = read("v1,x=1x2x4x4,out=2,k=3")
STRIDED = read("v1,x=2x4x9x7,out=6,k=3x2,s=2x1,p=1x0,d=1x2,g=2")
ILLEGAL = read("v1,x=1x2x4x4,out=2,k=9")


def shown(cases):
    """The defects in whose region one of the cases lies."""
    return {d.name for case in cases for d in DEFECTS if d.region.holds(facts(case))}


def test_what_departs_in_more_ways_comes_before_what_departs_in_fewer():
    assert prioritized((PLAIN, ILLEGAL, STRIDED))[0] == 2
    assert prioritized((ILLEGAL, PLAIN, WIDE))[-1] == 0


@given(st.permutations((PLAIN, WIDE, STRIDED, ILLEGAL)))
def test_no_case_is_added_or_lost(cases):
    assert sorted(prioritized(cases)) == [0, 1, 2, 3]


def test_a_few_cases_of_a_run_show_most_of_what_the_block_shows():
    block = generate(NumpyBackend.capabilities, run_seed=3, block=0, size=120)
    legal = [case for case in block if case.violation is None]
    assert len(shown(block[:12])) > 0.8 * len(shown(legal))


def test_without_defects_the_order_stays():
    assert prioritized((PLAIN, ILLEGAL, WIDE), ()) == (0, 1, 2)
