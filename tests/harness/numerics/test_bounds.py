"""Bounds on rounding hold where roundings are not independent as well, and are no wider than that takes."""

import numpy as np
import pytest

from convcheck.defects import defect
from convcheck.evaluation.variants import variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.profiles import STRICT
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.numerics.bounds import accumulation_error, worst_accumulation_error

REPEATED = (
    "v1,x=1x1x2x6,out=1,k=7x7,p=30x30,d=5x5,mode=replicate,layout-x=offset,layout-weight=sliced,"
    "layout-grad=broadcast,seed=3356532276"
)


def relative_error(summand, n):
    summed = np.add.accumulate(np.full(n, summand, np.float32))[-1]
    return abs(float(summed) - n * float(np.float32(summand))) / (n * summand)


def test_a_number_added_again_and_again_is_rounded_the_same_way():
    profile, n = STRICT["float32"], 3000
    errors = [relative_error(s, n) for s in np.random.default_rng(0).uniform(1, 2, 200)]
    assert max(errors) <= worst_accumulation_error(profile, n)
    assert max(errors) > 0.2 * accumulation_error(profile, n)


@pytest.mark.parametrize("name", ["reverse", "sequential", "fma", "pairwise"])
def test_sums_of_equal_products_pass_in_any_order(name):
    verdicts = judge_case(InProcessCandidate(variant(name).backend), read(REPEATED))[0]
    assert not [v for v in verdicts if v.status in FAILURES]


def test_sums_of_equal_products_in_half_precision_fail():
    verdicts = judge_case(InProcessCandidate(defect("bfloat16-result").backend), read(REPEATED))[0]
    assert [v for v in verdicts if v.status in FAILURES]


def test_independent_roundings_have_the_sharper_bound():
    profile = STRICT["float32"]
    assert accumulation_error(profile, 1000) < 0.3 * worst_accumulation_error(profile, 1000)
    assert accumulation_error(profile, 10) == worst_accumulation_error(profile, 10)
