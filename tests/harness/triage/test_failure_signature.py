from dataclasses import replace

import pytest

import convcheck.oracles
from convcheck import Status
from convcheck.oracles import CALL, ORACLES, PRECISION, RESULT, Oracle, Priority, find
from convcheck.triage.failure_signature import FailureSignature
from stand_ins import CRASHED, GRAD_INPUT, IMPRECISE, OUTPUT, REFUSED, verdict


@pytest.fixture
def image_of_ones(monkeypatch):
    """An oracle with calls of its own, and a space in its name."""
    added = Oracle("image of ones", lambda _: (), lambda _: {})
    monkeypatch.setattr(convcheck.oracles, "ORACLES", (*ORACLES, added))
    return added


@pytest.mark.parametrize(
    ("oracle", "quantity", "kind"),
    [
        ("exact", "output", RESULT),
        ("contract", "output", RESULT),
        ("gradients-exact", "grad_bias", RESULT),
        ("bounded", "output", PRECISION),
        ("gradients-bounded", "grad_input", PRECISION),
        ("special", "output", "special"),
        ("adjoint", "adjoint", "adjoint"),
        ("contract", "inputs", "contract"),
    ],
)
def test_failures_that_may_have_one_cause_have_one_kind(oracle, quantity, kind):
    assert FailureSignature.of(verdict(oracle, quantity)) == FailureSignature(kind, quantity)


@pytest.mark.parametrize("status", [Status.CRASHED, Status.HUNG, Status.WRONGLY_REFUSED, Status.WRONGLY_ACCEPTED])
def test_calls_that_failed_are_told_apart_by_status(status):
    found = FailureSignature.of(verdict("parity", CALL, status))
    assert found == FailureSignature(str(status), CALL)
    assert found.oracles == ()
    assert found.asker is None


def test_a_call_is_told_from_the_calls_of_every_case_by_who_asked_for_it(image_of_ones):
    found = FailureSignature.of(verdict("image of ones", CALL, Status.CRASHED))
    assert found == FailureSignature(str(Status.CRASHED), CALL, "image of ones")
    assert found.asker is image_of_ones
    assert FailureSignature.of(verdict("exact", CALL, Status.CRASHED)) == CRASHED


def test_only_a_pass_of_the_same_kind_and_quantity_excludes_a_failure():
    assert OUTPUT.excluded_by(verdict("exact", status=Status.PASS))
    assert not OUTPUT.excluded_by(verdict("exact", status=Status.VACUOUS))
    assert not OUTPUT.excluded_by(verdict("exact"))
    assert not OUTPUT.excluded_by(verdict("bounded", status=Status.PASS))
    assert not OUTPUT.excluded_by(verdict("gradients-exact", "grad_input", Status.PASS))
    assert IMPRECISE.excluded_by(verdict("bounded", status=Status.PASS))


def test_a_right_shape_does_not_exclude_wrong_values():
    assert not OUTPUT.excluded_by(verdict("contract", status=Status.PASS))
    of_inputs = FailureSignature("contract", "inputs")
    assert of_inputs.excluded_by(verdict("contract", "inputs", Status.PASS))


def test_a_call_that_came_back_excludes_that_calls_fail():
    returned = verdict("parity", CALL, Status.PASS)
    assert CRASHED.excluded_by(returned)
    assert REFUSED.excluded_by(returned)
    assert not OUTPUT.excluded_by(returned)


@pytest.mark.parametrize(
    ("signature", "shown"),
    [
        (OUTPUT, True),
        (GRAD_INPUT, True),
        (IMPRECISE, True),
        (FailureSignature("special", "output"), True),
        (FailureSignature("adjoint", "adjoint"), False),
        (FailureSignature("one-hot", "output"), False),  # it compares values, of calls of its own
        (FailureSignature("metamorphic-flip", "output"), False),
        (FailureSignature("contract", "inputs"), False),
        (REFUSED, True),
        (FailureSignature(str(Status.WRONGLY_ACCEPTED), CALL), True),
        (CRASHED, False),
        (replace(REFUSED, asked_by="soak"), False),
    ],
)
def test_results_of_plain_calls_show_wrong_values_and_refusals(signature, shown):
    assert signature.shown_by_plain_calls is shown


@pytest.mark.parametrize(
    ("signature", "priority"),
    [
        (OUTPUT, Priority.RESULTS),
        (IMPRECISE, Priority.PRECISION),
        (CRASHED, Priority.RESULTS),
        (FailureSignature("special", "output"), Priority.SPECIAL_VALUES),
        (FailureSignature("module", "module"), Priority.MODULE),
        (FailureSignature("soak", "output"), Priority.OWN_CALLS),
    ],
)
def test_a_signature_has_the_priority_of_its_oracles_and_calls_that_of_the_results_they_lack(signature, priority):
    assert signature.priority is priority


def test_where_few_values_can_show_a_failure_more_draws_have_to_pass():
    assert FailureSignature("special", "output").draws == find("special").draws > OUTPUT.draws
    assert CRASHED.draws == OUTPUT.draws


def test_an_oracles_traits_are_those_of_its_signatures():
    flip, soak = FailureSignature("metamorphic-flip", "output"), FailureSignature("soak", "output")
    assert (flip.relational, flip.of_state, flip.asker) == (True, False, find("metamorphic-flip"))
    assert (soak.relational, soak.of_state, soak.asker) == (False, True, find("soak"))
    assert (OUTPUT.relational, OUTPUT.of_state, OUTPUT.asker) == (False, False, None)


def test_only_a_wrong_output_has_other_evidence_than_the_reference():
    assert OUTPUT.of_output
    assert not any(s.of_output for s in (IMPRECISE, GRAD_INPUT, REFUSED, FailureSignature("special", "output")))


def test_gradients_are_told_by_their_quantity():
    assert GRAD_INPUT.backward
    assert not OUTPUT.backward
    assert not FailureSignature("adjoint", "adjoint").backward
