"""A wrong layer is a matter of state only if it is right where its call is the only one."""

import numpy as np

from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import Judge
from convcheck.judging.own_cases import tried_alone
from convcheck.model.token import read
from convcheck.oracles import find
from convcheck_backends import NumpyBackend

TOKEN = "v1,x=1x2x9x9,out=2,k=2"


class WrongAtStride2(NumpyBackend):
    """Wrong in every layer of stride 2, whatever was called before."""

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right + (params.stride == (2, 2))


class WrongOnceStrided(NumpyBackend):
    """Wrong in layers of stride 2 after any other."""

    def __init__(self):
        self.called = False

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        wrong = self.called and params.stride == (2, 2)
        self.called = True
        return right + right.dtype.type(wrong)


def failures(backend, clause=None):
    candidate = InProcessCandidate(backend)
    judge = Judge(candidate, 0)
    judge(read(TOKEN), (find("exact"), find("state")))
    return list(tried_alone(candidate, judge.tally.failures, clause))


def test_a_layer_that_is_wrong_by_itself_fails_as_its_own_case():
    (found,) = failures(WrongAtStride2)
    assert found.verdict.oracle == "exact"
    assert found.case.params.stride == (2, 2)
    assert (found.block, found.position) == (0, 0)


def test_a_layer_that_is_right_by_itself_is_a_matter_of_state():
    (found,) = failures(WrongOnceStrided)
    assert found.verdict.oracle == "state"
    assert found.case == read(TOKEN)
    assert np.array_equal(read(found.verdict.alone).params.stride, (2, 2))


def test_what_is_no_matter_of_state_is_no_failure_of_its_clause():
    assert not failures(WrongAtStride2, clause="C2D-PURE-4")
    assert failures(WrongOnceStrided, clause="C2D-PURE-4")
