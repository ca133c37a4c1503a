from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities, Level
from convcheck.defects import defect
from convcheck.model.diagnosis import Diagnosis, KnownDefectMatch
from convcheck.model.token import read
from convcheck.triage.causes import ATTEMPTS, CHECKED, contradicting, size, without
from convcheck.triage.diagnosis.examine import Examination
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
)

PLAIN, ILLEGAL = "v1,x=1x4x5x5,out=4,k=1", "v1,x=1x4x5x5,out=4,k=1,s=0"


def test_a_cause_accounts_for_the_failures_for_which_its_condition_holds():
    grouped = cause(OUTPUT, "groups > 1")
    assert grouped.accounts_for(failure(TOKENS[0]))
    assert not grouped.accounts_for(failure(PLAIN))


def test_a_cause_accounts_for_the_region_of_its_known_defect_as_well():
    of_defect = Examination(cause(OUTPUT, "stride_w > 9").diagnosis, defect("stride-exchanged"))
    assert cause(OUTPUT, examination=of_defect).accounts_for(failure(TOKENS[0]))
    assert not cause(OUTPUT, examination=of_defect).accounts_for(failure(PLAIN))


def test_without_a_condition_the_clauses_that_tell_something_decide():
    told = verdict(clauses=("C2D-GROUPS-1", "C2D-BIAS-2", "C2D-ARITH-1"))
    grouped = cause(OUTPUT, verdict=told)
    assert grouped.accounts_for(failure(PLAIN, verdict(clauses=("C2D-STRIDE-1", "C2D-GROUPS-1"))))
    assert not grouped.accounts_for(failure(PLAIN, verdict(clauses=("C2D-STRIDE-1", "C2D-ARITH-1"))))


def test_clauses_of_every_layer_account_for_nothing():
    plain = cause(OUTPUT, verdict=verdict(clauses=("C2D-KERNEL-2", "C2D-ARITH-1")))
    assert not plain.accounts_for(failure(PLAIN, verdict(clauses=("C2D-KERNEL-2", "C2D-ARITH-1"))))


def test_no_cause_accounts_for_legal_and_illegal_cases_both():
    always = cause(OUTPUT, "")
    illegal = cause(OUTPUT, tokens=[ILLEGAL], verdict=verdict(clauses=("C2D-ERROR-1",)))
    assert not always.accounts_for(failure(ILLEGAL))
    assert not illegal.accounts_for(failure(PLAIN, verdict(clauses=("C2D-ERROR-1",))))
    assert illegal.accounts_for(failure(ILLEGAL, verdict(clauses=("C2D-ERROR-1",))))


def test_the_share_of_anothers_failures_that_a_condition_covers():
    grouped = cause(OUTPUT, "groups > 1")
    mixed = cause(GRAD_INPUT, "", [TOKENS[0], TOKENS[1], PLAIN, ILLEGAL])
    assert grouped.share_covered(mixed) == 0.5
    assert cause(OUTPUT, "").share_covered(mixed) == 0.0
    assert cause(OUTPUT).share_covered(mixed) == 0.0
    assert grouped.share_covered(replace(mixed, explains=())) == 0.0


@pytest.mark.parametrize(
    ("smallest", "of_state"),
    [
        ({}, False),
        ({"state_dependent": True}, True),
        ({"reproduced": ATTEMPTS - 1}, True),
        ({"setup_cases": (read(PLAIN),)}, True),
    ],
    ids=["repeats by itself", "needs its calls", "repeats now and then", "needs a case"],
)
def test_what_does_not_repeat_by_itself_is_of_state(smallest, of_state):
    assert cause(OUTPUT, **smallest).of_state is of_state


def test_a_finding_says_what_is_known_of_its_cause():
    smallest = replace(read(TOKENS[0]), input_shape=(1, 4, 1, 1))
    told = verdict(clauses=("C2D-GROUPS-1", "C2D-ARITH-1"))
    many = (*failures(OUTPUT), *failures(GRAD_INPUT, [f"{PLAIN},dtype=float64"]))
    found = cause(
        OUTPUT, "groups > 1", case=smallest, verdict=told, explains=many, also=(GRAD_INPUT, OUTPUT, GRAD_INPUT, REFUSED)
    ).finding("mine")  # fmt: skip
    assert (found.backend, found.clause, found.verdict) == ("mine", "C2D-GROUPS-1", told)
    assert found.failing_cases == 5
    assert found.dtypes == ("float32", "float64")
    assert found.also_affects == ("grad_input", "call")
    again = found.reproduction
    assert (read(again.token), read(again.first_failing_case)) == (smallest, read(TOKENS[0]))
    assert (again.reproduced, again.attempts) == (ATTEMPTS, ATTEMPTS)


def test_a_finding_is_named_after_a_clause_that_tells_something_where_there_is_one():
    def named(*clauses):
        return cause(OUTPUT, verdict=verdict(clauses=clauses)).finding("mine").clause

    assert named("C2D-GROUPS-1", "C2D-BIAS-2", "C2D-ARITH-1") == "C2D-GROUPS-1"
    assert named("C2D-KERNEL-2", "C2D-BIAS-2", "C2D-ARITH-1") == "C2D-ARITH-1"


def test_only_a_finding_that_repeats_by_itself_is_called_state_dependent():
    def said(**smallest):
        return cause(OUTPUT, state_dependent=True, **smallest).finding("mine").reproduction.state_dependent

    assert said()
    assert not said(reproduced=1)
    assert not said(setup_cases=(read(PLAIN),))


def test_the_simplest_failure_has_the_least_work_then_the_shortest_token_then_came_first():
    large, small, seeded = (
        failure(f"v1,x=1x4x{n}x5,out=4,k=1{more}") for n, more in ((9, ""), (2, ""), (2, ",seed=1"))
    )
    later, illegal = failure(small.case, block=3), failure("v1,x=9x4x50x50,out=4,k=1,s=0")
    assert sorted([large, seeded, later, small, illegal], key=size) == [illegal, small, later, seeded, large]


def test_equal_failures_are_told_apart_by_what_they_are():
    twins = failures(OUTPUT) + failures(OUTPUT)
    assert without(twins, twins[:4]) == twins[4:]
    assert all(a is b for a, b in zip(without(twins, twins[:4]), twins[4:], strict=True))


class StrideExchanged(NumpyBackend):
    """A stride is exchanged, in the library's words; and where there are many channels the output is zero."""

    capabilities = Capabilities(gradients=True)

    def __init__(self):
        self._wrong = defect("stride-exchanged").backend()

    def conv2d(self, x, weight, bias, params):
        output = self._wrong.conv2d(x, weight, bias, params)
        return np.zeros_like(output) if Conv2dParams.of(params.arguments).out_channels > 6 else output


EXCHANGED = cause(
    OUTPUT,
    examination=Examination(
        Diagnosis(known_defects=(KnownDefectMatch("stride-exchanged", "", 3, 3),)), defect("stride-exchanged")
    ),
)


def test_failures_that_the_known_defect_does_not_reproduce_contradict_it():
    reproduced, other = failure(TOKENS[1]), failure("v1,x=1x4x5x6,out=8,k=1,s=1x2")
    assert contradicting(probe_of(StrideExchanged), OUTPUT, EXCHANGED, [reproduced, other]) == [other]


def test_a_known_defect_that_reproduces_nothing_of_another_signature_explains_none_of_it():
    many = failures(GRAD_WEIGHT, [f"v1,x=1x4x5x{width},out=4,k=2,s=1x2" for width in range(5, 5 + CHECKED + 5)])
    probe = probe_of(StrideExchanged)
    assert contradicting(probe, GRAD_WEIGHT, EXCHANGED, many) == many
    assert probe.candidate.calls <= CHECKED


def test_without_a_known_defect_nothing_contradicts():
    probe = probe_of(StrideExchanged)
    assert contradicting(probe, OUTPUT, cause(OUTPUT, "groups > 1"), failures(OUTPUT)) == []
    assert probe.candidate.calls == 0


def test_a_finding_says_which_parameters_make_no_difference():
    assert cause(free=("dilation", "batch")).finding("some").diagnosis.free == ("dilation", "batch")
    assert cause().finding("some").diagnosis.free == ()


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (cause(), Level.COMPUTES),
        (cause(IMPRECISE), Level.PRECISION),
        (cause(REFUSED, tokens=(ILLEGAL,)), Level.REFUSES),
        (cause(setup_cases=(read(PLAIN),)), Level.STATE),
        (cause(state_dependent=True), Level.STATE),
        (cause(reproduced=1), Level.STATE),
        (cause(CRASHED, reproduced=1), Level.COMPUTES),
        (cause(CRASHED, reproduced=1, setup_cases=(read(PLAIN),)), Level.STATE),
        (cause(CRASHED, tokens=(ILLEGAL, PLAIN)), Level.REFUSES),
    ],
)
def test_a_cause_has_a_level_which_its_finding_says(found, level):
    assert found.level is level
    assert found.finding("mine").level is level


def test_what_shows_by_infinities_and_by_nan_is_one_cause():
    nan, infinity = (
        verdict("special", clauses=(c, "C2D-SPECIAL-3", "C2D-GROUPS-1")) for c in ("C2D-SPECIAL-1", "C2D-SPECIAL-2")
    )
    assert cause(OUTPUT, verdict=nan).accounts_for(failure(TOKENS[1], infinity))
    assert cause(OUTPUT, verdict=infinity).accounts_for(failure(TOKENS[1], nan))


def test_what_never_failed_again_is_marked():
    assert cause(OUTPUT, reproduced=0).finding("mine").seen_once
    assert not cause(OUTPUT).finding("mine").seen_once
