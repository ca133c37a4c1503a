"""A wide promise is no licence: what is coarser than the promised algorithm fails in an ordinary run."""

import math

import pytest

from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.model.levels import Level
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.oracles import PRECISION, RESULT, find
from imprecise import KERNELS

SHOWN = (
    "F2, transformed values in tf32",
    "F4, transformed values in float16",
    "F6, transformed values in tf32",
    "F4, an entry of kernel off by 1e-4",
    "F4, an entry of output off by 1e-4",
    "F4, a column of tiles summed in float16",
)
LONG_SUMS = "TF32, bfloat16 operands in sums of 64 and more"
MOST = 6000
"""Results of a layer, so that the test takes no longer than it has to."""


@pytest.fixture(scope="module")
def drawn():
    """The legal cases of a run of 500: their layers do not hang on what is promised."""
    backend = KERNELS[LONG_SUMS]()
    blocks = (generate(backend.capabilities, run_seed=1, block=block, size=250) for block in (0, 1))
    return [c for block in blocks for c in block if c.violation is None and math.prod(c.output_shape) <= MOST]


def failures(name, cases):
    return judge_block(InProcessCandidate(KERNELS[name]), cases, 0).failures


@pytest.mark.parametrize("name", SHOWN)
def test_of_five_hundred_cases_those_with_tiles_show_it(name, drawn):
    found = failures(name, [case for case in drawn if suits_winograd(case.params)])
    assert {find(f.verdict.oracle).kind for f in found} <= {PRECISION, RESULT}
    assert any(f.verdict.level is Level.PRECISION for f in found)
    assert len({f.case for f in found}) > 1


def test_operands_that_are_coarser_in_long_sums_show_in_all_elements_together(drawn):
    found = failures(LONG_SUMS, [c for c in drawn if c.regime == "reals" and c.entry == "function"])
    # where integers do not show it before, as partial sums that cancel do now
    assert {"aggregated", "exact", "gradients-exact"} & {f.verdict.oracle for f in found}
