from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities, Profile
from convcheck.defects import defect
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.oracles import PRECISION, RESULT
from convcheck.triage.attribution import consequences, explained
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Budget
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams
from stand_ins import (
    CRASHED,
    GRAD_INPUT,
    GRAD_WEIGHT,
    IMPRECISE,
    OUTPUT,
    REFUSED,
    TOKENS,
    cause,
    failure,
    failures,
    probe_of,
    verdict,
    verdict_like,
)  # fmt: skip

PLAIN = "v1,x=1x4x5x5,out=4,k=1"
FLIP, ONE_HOT = FailureSignature("metamorphic-flip", "output"), FailureSignature("one-hot", "output")
SPECIAL, MODULE = FailureSignature("special", "output"), FailureSignature("module", "module")
ENDED = tuple(FailureSignature(str(CRASHED.kind), "call", name) for name in ("", "soak"))


class Right(NumpyBackend):
    capabilities = Capabilities(gradients=True)


def of(signature, *tokens):
    """Failures with a signature in some cases, which are told apart by their tokens."""
    return [failure(token, verdict_like(signature)) for token in tokens]


def test_a_cause_explains_the_failures_of_its_condition_and_the_one_it_was_found_in():
    probe, remaining = probe_of(Right), failures(OUTPUT, [*TOKENS, PLAIN, f"{PLAIN},g=4"])
    grouped = cause(OUTPUT, "groups > 2")
    assert explained(probe, grouped, remaining) == [remaining[0], remaining[5]]
    assert probe.candidate.calls == 0


def test_a_cause_explains_nothing_that_its_known_defect_does_not_reproduce():
    known = Examination(cause(OUTPUT, "groups > 1").diagnosis, defect("stride-exchanged"))
    probe = probe_of(defect("kernel-flipped").backend)
    wrong = [token.replace("k=1", "k=2") for token in TOKENS[1:]]
    assert explained(probe, cause(OUTPUT, examination=known), failures(OUTPUT, wrong)) == []


def test_where_outputs_are_wrong_broken_relations_are_no_news():
    probe = probe_of(Right)
    broken = of(FLIP, PLAIN, *TOKENS)
    assert consequences(probe, FLIP, cause(OUTPUT, "groups > 8"), broken) == broken
    assert consequences(probe, FLIP, cause(GRAD_INPUT, "groups > 8"), broken) == []


@pytest.mark.parametrize(
    ("signature", "of_cause", "follows"),
    [
        (IMPRECISE, OUTPUT, True),
        (SPECIAL, OUTPUT, True),
        (MODULE, OUTPUT, True),
        (MODULE, IMPRECISE, True),
        (SPECIAL, IMPRECISE, True),
        (FailureSignature(PRECISION, "grad_input"), OUTPUT, False),
        (MODULE, GRAD_INPUT, False),
        (OUTPUT, SPECIAL, False),
        (IMPRECISE, CRASHED, False),
        (FailureSignature(PRECISION, "grad_input"), GRAD_INPUT, True),
    ],
    ids=str,
)
def test_what_is_wrong_on_integers_is_wrong_on_reals_and_in_a_module_wherever_the_condition_holds(
    signature, of_cause, follows
):
    probe, remaining = probe_of(Right), of(signature, TOKENS[0], PLAIN)
    expected = remaining[:1] if follows else []
    assert consequences(probe, signature, cause(of_cause, "groups > 1"), remaining) == expected
    assert probe.candidate.calls == 0


def test_what_is_wrong_besides_on_integers_is_so_on_reals():
    imprecise = FailureSignature(PRECISION, "grad_input")
    remaining = of(imprecise, TOKENS[0], PLAIN)
    besides = replace(cause(OUTPUT, "groups > 1"), also=(GRAD_INPUT,))
    assert consequences(probe_of(Right), imprecise, besides, remaining) == remaining[:1]
    other = FailureSignature(PRECISION, "grad_weight")
    assert consequences(probe_of(Right), other, besides, of(other, TOKENS[0])) == []


def test_without_a_condition_nothing_follows_from_it():
    told = cause(OUTPUT, verdict=verdict(clauses=("C2D-GROUPS-1",)))
    wrong = [failure(TOKENS[0], verdict("bounded", clauses=("C2D-GROUPS-1",)))]
    assert consequences(probe_of(Right), IMPRECISE, told, wrong) == []


def test_results_that_are_wrong_in_the_same_cases_have_one_cause():
    probe, grouped = probe_of(Right), cause(OUTPUT, "groups > 1")
    assert consequences(probe, GRAD_INPUT, grouped, of(GRAD_INPUT, *TOKENS)) != []
    assert consequences(probe, GRAD_INPUT, grouped, of(GRAD_INPUT, *TOKENS[1:])) == []  # three of four
    few = cause(OUTPUT, "groups > 1", TOKENS[:2])
    assert consequences(probe, GRAD_INPUT, few, of(GRAD_INPUT, *TOKENS)) == []
    assert probe.candidate.calls == 0


def test_a_layer_without_bias_has_no_gradient_of_it_to_be_wrong():
    grad_bias = FailureSignature(RESULT, "grad_bias")
    many = [*TOKENS, *(f"{token},bias=false" for token in TOKENS)]
    wrong = of(grad_bias, *TOKENS)
    assert consequences(probe_of(Right), grad_bias, cause(OUTPUT, "groups > 1", many), wrong) == wrong
    assert consequences(probe_of(Right), GRAD_INPUT, cause(OUTPUT, "groups > 1", many), of(GRAD_INPUT, *TOKENS)) == []


def test_other_results_follow_where_the_known_defect_reproduces_them():
    token = "v1,x=1x4x6x5,out=4,k=2,s=1x2"
    known = Examination(cause(OUTPUT, "stride_w > 1").diagnosis, defect("stride-exchanged"))
    exchanged, wrong = cause(OUTPUT, tokens=[token], examination=known), of(GRAD_WEIGHT, token)
    assert consequences(probe_of(defect("stride-exchanged").backend), GRAD_WEIGHT, exchanged, wrong) == wrong
    assert consequences(probe_of(defect("kernel-flipped").backend), GRAD_WEIGHT, exchanged, wrong) == []


class Clamped(NumpyBackend):
    """Takes infinities for the largest number."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        largest = np.finfo(np.float32).max
        return np.clip(super().conv2d(x, weight, bias, params), -largest, largest)


def test_one_special_element_shows_what_many_show():
    probe, lost = probe_of(Clamped), FailureSignature("taint", "output")
    case = read("v1,x=1x4x6x6,out=4,k=3,p=1,seed=3")
    found = probe.failing(case, lost)
    finite, other = failure(case, found), failure(case, replace(found, evidence=replace(found.evidence, got="nan")))
    assert np.isfinite(float(found.evidence.got))
    special = cause(SPECIAL, tokens=["v1,x=1x1x1x1,out=1,k=1,values=special"])
    assert consequences(probe, lost, special, [finite]) == [finite]
    assert consequences(probe, lost, special, [finite, other]) == [finite]
    assert consequences(probe_of(Right), lost, special, [finite]) == []


class RefusesDilation(NumpyBackend):
    """Refuses dilated layers without a stride, which a relation makes of strided ones."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        if max(params.dilation) > 1 and params.stride == (1, 1):
            raise ValueError("no dilation")
        return super().conv2d(x, weight, bias, params)


def test_a_call_of_an_oracle_follows_where_its_layer_fails_by_itself():
    strided = "v1,x=1x4x6x6,out=4,k=2,s=2,d=2"
    asked = FailureSignature(Status.WRONGLY_REFUSED, "call", "metamorphic-stride")
    refusals = [failure(strided, verdict("metamorphic-stride", "call", Status.WRONGLY_REFUSED))]
    plain = cause(REFUSED, "dilation_h > 5", [strided.replace("s=2,", "")])
    assert consequences(probe_of(RefusesDilation), asked, plain, refusals) == refusals
    assert consequences(probe_of(Right), asked, plain, refusals) == []


class Imprecise(NumpyBackend):
    """Operands lose 16 bits, and wide layers a whole channel."""

    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        short = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        output = super().conv2d(short, weight, bias, params)
        if Conv2dParams.of(params.arguments).out_channels > 8:
            output[..., 0, :, :] = 0
        return output


def test_integers_are_wrong_for_lack_of_precision_only_by_errors_of_its_size():
    probe = probe_of(Imprecise)
    lacking = [f"v1,x=1x64x9x9,out=4,k=3,seed={seed}" for seed in range(3)]
    small, large = of(OUTPUT, lacking[0], "v1,x=1x64x9x9,out=9,k=3")
    found = cause(IMPRECISE, "in_channels > 8", lacking)
    assert consequences(probe, OUTPUT, found, [small, large]) == [small]


@pytest.mark.parametrize(
    ("of_cause", "rule", "taken"),
    [
        (OUTPUT, "groups > 1", True),
        (IMPRECISE, "groups > 1", True),
        (OUTPUT, "groups > 1 and values == 'special'", True),  # the oracle has values of its own
        (OUTPUT, "groups > 2", False),
        (OUTPUT, None, False),
        (CRASHED, "groups > 1", False),
        (replace(OUTPUT, kind="special"), "groups > 1", False),
    ],
)
def test_an_oracle_that_calls_a_layer_that_fails_shows_nothing_new(of_cause, rule, taken):
    probe, wrong = probe_of(Right), of(ONE_HOT, TOKENS[0], PLAIN)
    assert consequences(probe, ONE_HOT, cause(of_cause, rule), wrong) == (wrong[:1] if taken else [])


def test_a_call_of_an_oracle_that_ends_as_plain_calls_do_shows_nothing_new():
    by_itself, asked = ENDED
    ended = [failure(token, verdict("soak", "call")) for token in (TOKENS[0], PLAIN)]
    assert consequences(probe_of(Right), asked, cause(by_itself, "groups > 1"), ended) == ended[:1]
    assert consequences(probe_of(Right), asked, cause(REFUSED, "groups > 1"), ended) == []
    assert consequences(probe_of(Right), asked, cause(OUTPUT, "groups > 1"), ended) == []


class Kept(Right):
    """Keeps the first weight of every shape, or where there are groups, is wrong on reals in any case."""

    def __init__(self):
        self._kept = {}

    def conv2d(self, x, weight, bias, params):
        if Conv2dParams.of(params.arguments).groups > 1:
            return super().conv2d(x, weight, bias, params) + np.float32((x != np.rint(x)).any())
        return super().conv2d(x, self._kept.setdefault(weight.shape, weight.copy()), bias, params)


STALE = cause(IMPRECISE, tokens=[PLAIN], state_dependent=True)


def test_state_explains_what_does_not_fail_where_each_call_meets_a_fresh_candidate():
    probe = probe_of(Kept)
    stale = of(IMPRECISE, *(f"{PLAIN},seed={seed}" for seed in range(1, 10)))
    (grouped,) = of(IMPRECISE, f"{PLAIN},g=2")
    assert explained(probe, STALE, [grouped, stale[0]]) == [stale[0]]
    assert explained(probe, STALE, stale) == stale  # though not each is looked at
    checked = explained(probe, STALE, [grouped, *stale])
    assert checked == stale[: len(checked)]
    assert 0 < len(checked) < len(stale)


def test_state_explains_no_failure_of_another_operation_no_call_that_ended_and_nothing_illegal():
    probe = probe_of(Kept)
    assert consequences(probe, GRAD_INPUT, STALE, of(GRAD_INPUT, PLAIN)) == []
    assert consequences(probe, CRASHED, STALE, [failure(PLAIN, verdict("parity", "call"))]) == []
    assert consequences(probe, OUTPUT, STALE, of(OUTPUT, f"{PLAIN},s=0")) == []
    assert probe.candidate.calls == 0


def test_what_never_failed_again_explains_nothing_else():
    never = cause(IMPRECISE, tokens=[PLAIN], reproduced=0)
    probe = probe_of(Kept)
    assert consequences(probe, OUTPUT, never, of(OUTPUT, f"{PLAIN},seed=1")) == []
    assert probe.candidate.calls == 0


def test_without_calls_state_explains_the_failure_it_was_found_in_only():
    probe = probe_of(Kept, budget=Budget(0))
    remaining = of(IMPRECISE, PLAIN, f"{PLAIN},seed=1")
    assert explained(probe, STALE, remaining) == remaining[:1]


class RoundedTwice(NumpyBackend):
    """The bias is added after rounding to 16 bit; without one, the first filter is wrong by one unit."""

    capabilities = Capabilities(dtypes=("float16",))

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, None, params)
        if bias is None:
            output = output.copy()
            output[:, :1] += output.dtype.type(1)
            return output
        return (output + bias[:, None, None]).astype(x.dtype)


def test_a_promise_explains_what_keeps_it_whatever_the_rule_says_and_nothing_else():
    twice = Capabilities(dtypes=("float16",), profiles={("float16", "output"): Profile(rounds_before_bias=True)})
    wide = [f"v1,x=2x4x5x5,out=4,k={k},dtype=float16" for k in (1, 2, 3)]
    wrong = [f"{token},bias=false" for token in wide]
    cause_of_promise = cause(IMPRECISE, "kernel_h > 1", wide[1:])
    known = replace(cause_of_promise, examination=replace(cause_of_promise.examination, promised=twice))
    probe = probe_of(RoundedTwice)
    remaining = of(IMPRECISE, *wide, *wrong)
    assert [f.case.token for f in explained(probe, known, remaining) if f.case.params.bias] == [*wide[1:], wide[0]]
    on_integers = of(OUTPUT, *wide, wrong[0])
    assert consequences(probe, OUTPUT, known, on_integers) == on_integers[:3]
    assert consequences(probe, OUTPUT, cause_of_promise, on_integers[:1]) == []
