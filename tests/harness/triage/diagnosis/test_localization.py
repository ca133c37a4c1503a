import numpy as np
import pytest

from convcheck import Gradients
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.triage.diagnosis.localization import localize
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe
from convcheck_backends import NumpyBackend


class Altered(NumpyBackend):
    """The reference with one more in a part of one result."""

    def __init__(self, quantity, part):
        self.quantity, self.part = quantity, part

    def conv2d(self, x, weight, bias, params):
        return self._altered("output", super().conv2d(x, weight, bias, params))

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        found = super().conv2d_backward(grad_output, x, weight, bias, params)
        return Gradients(*(self._altered(f"grad_{n}", a) for n, a in zip(found._fields, found, strict=True)))

    def _altered(self, quantity, array):
        if quantity == self.quantity:
            array = array.copy()
            array[self.part] += array.dtype.type(1)
        return array


def seen(quantity, part, token):
    host, case = InProcessCandidate(lambda: Altered(quantity, part)), read(token)
    verdict = next(v for v in judge_case(host, case)[0] if v.quantity == quantity and v.status in FAILURES)
    return localize(Probe(host).trial(case, FailureSignature.of(verdict)), verdict)


S = np.s_


@pytest.mark.parametrize(
    ("quantity", "part", "token", "words"),
    [
        ("output", S[:, 2:4], "v1,x=2x8x6x6,out=8,k=3,g=4", "group 2 of 4"),
        ("output", S[:, 1::2], "v1,x=2x8x6x6,out=8,k=3,g=4", "channel 1 of every group"),
        ("output", S[..., 0], "v1,x=2x3x6x6,out=4,k=3,p=1", "the columns whose windows reach into the padding left"),
        ("output", S[..., :3, :], "v1,x=2x3x9x9,out=4,k=7,p=3", "the rows whose windows reach into the padding above"),
        ("grad_input", S[..., -1, :], "v1,x=2x3x6x7,out=4,k=1,s=5x1", "the last row"),
        ("grad_input", S[..., 6:, :], "v1,x=2x3x8x7,out=4,k=1,s=5x1", "the rows that the stride leaves over"),
        ("grad_weight", S[..., -1], "v1,x=2x3x6x7,out=4,k=3", "kernel column 2 (the last)"),
        ("grad_bias", S[2:4], "v1,x=2x4x6x7,out=8,k=3,g=4", "group 2 of 4"),
    ],
)
def test_words_know_the_layer(quantity, part, token, words):
    found = seen(quantity, part, token)
    assert found.token == read(token).token
    assert found.words.startswith(words)
    assert any(0 < share <= 1 for m in found.maps for row in m.shares for share in row)
