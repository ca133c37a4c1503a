"""A wide promise is no licence: what is coarser than the promised algorithm fails in an ordinary run."""

import pytest

from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.model.levels import Level
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.oracles import PRECISION, RESULT, find
from imprecise import KERNELS

WINOGRAD = [name for name in KERNELS if name.startswith(("F2", "F4", "F6"))]
HIDDEN = {f"F6, an entry of {which} off by 1e-4" for which in ("kernel", "data", "output")}
"""Within the bound of F(6, 3) in the layers of a short run."""


@pytest.fixture(scope="module")
def drawn():
    """The legal cases of a run of 500: their layers do not hang on what is promised."""
    backend = KERNELS[WINOGRAD[0]]()
    blocks = (generate(backend.capabilities, run_seed=1, block=block, size=250) for block in (0, 1))
    return [case for block in blocks for case in block if case.violation is None]


def failures(name, cases):
    return judge_block(InProcessCandidate(KERNELS[name]), cases, 0).failures


@pytest.mark.parametrize("name", [n for n in WINOGRAD if n not in HIDDEN])
def test_of_five_hundred_cases_those_with_tiles_show_it(name, drawn):
    found = failures(name, [case for case in drawn if suits_winograd(case.params)])
    assert {find(f.verdict.oracle).kind for f in found} <= {PRECISION, RESULT}
    assert any(f.verdict.level is Level.PRECISION for f in found)
    assert len({f.case for f in found}) > 3


def test_operands_that_are_coarser_in_long_sums_show_in_all_elements_together(drawn):
    cases = [case for case in drawn if case.regime == "reals" and case.entry == "function"]
    found = failures("TF32, bfloat16 operands in sums of 64 and more", cases)
    assert {"aggregated", "bounded"} <= {f.verdict.oracle for f in found}
