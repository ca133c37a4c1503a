"""Kernels of which a rule was claimed that is nearly right: what is said now is true, or is not said to be exact."""

from itertools import islice

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.breaking import attempts
from convcheck.triage.diagnosis.examine import examine
from convcheck.triage.diagnosis.mutations import variations
from convcheck.triage.diagnosis.samples import Conjunction, Samples
from convcheck_backends import NumpyBackend
from stand_ins import OUTPUT, probe_of


class Wrong(NumpyBackend):
    """Everything is one more where `when` holds."""

    capabilities = Capabilities()
    when = ""

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right + right.dtype.type(1) if self.fails(params, x) else right


class ChannelRemainder(Wrong):
    """Vectors of eight channels; the rest of a longer sum is left out."""

    when = "in_per_group > 8 and in_per_group % 8 != 0"

    def fails(self, params, x):
        each = params.in_channels // params.groups
        return each > 8 and each % 8


class SameDilated(Wrong):
    """'same' pads for the kernel as it is without its dilation."""

    when = "padding_same and (dilation_h > 1 and kernel_h > 1 or dilation_w > 1 and kernel_w > 1)"

    def fails(self, params, x):
        spread = [d > 1 and k > 1 for d, k in zip(params.dilation, params.kernel_size, strict=True)]
        return params.arguments.padding == "same" and any(spread)


class Patches(Wrong):
    """Patches of 14 × 14, which have a path of their own."""

    when = "kernel_h == kernel_w == 14 and stride_h == stride_w == 14"

    def fails(self, params, x):
        return params.kernel_size == params.stride == (14, 14)


class SpelledAsPair(Wrong):
    """A stride of two numbers is taken for something else, equal or not."""

    when = "stride_pair"

    def fails(self, params, x):
        return isinstance(params.arguments.stride, tuple)


@pytest.mark.parametrize(
    ("kernel", "token"),
    [
        (ChannelRemainder, "v1,x=1x9x3x3,out=1,k=1,bias=false"),
        (SameDilated, "v1,x=1x1x3x3,out=1,k=2x1,p=same,d=2,bias=false"),
        (Patches, "v1,x=1x1x14x14,out=1,k=14,s=14,bias=false"),
        (SpelledAsPair, "v1,x=1x1x3x3,out=1,k=1,s=1x2,bias=false"),
    ],
)
def test_a_rule_is_the_truth_or_is_not_said_to_be_exact(kernel, token):
    truth, base = Rule(kernel.when), read(token)
    found = examine(probe_of(kernel), OUTPUT, base, [], []).diagnosis.failure_condition
    assert found.cases >= 100
    assert found.balance >= 0.95
    rng = np.random.default_rng(5)
    fresh = [*islice(variations(base, rng, 3), 200), *attempts(Conjunction((kernel.when,)), [base], Samples(), rng)]
    right = all(found.rule.holds(facts(case)) is truth.holds(facts(case)) for case in fresh)
    assert right or not found.exact, str(found)
    assert right, str(found)
