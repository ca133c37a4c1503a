import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Capabilities, Gradients, Status
from convcheck.model.profiles import WINOGRAD_F2


def at(position, change):
    return lambda gradients: Gradients(*(change(a) if i == position else a for i, a in enumerate(gradients)))


def statuses(backend, token=CASE):
    return [v.status for v in verdicts(backend, token, only=("adjoint",))]


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan)])
def test_one_wrong_element_of_a_gradient_breaks_the_identity(position, change):
    assert ("adjoint", "adjoint", Status.FAIL) in failing(Altered(gradients=at(position, change)))


def test_the_adjoint_identity_needs_no_reference():
    """An output that is wrong while its gradients are right breaks it; so does the reverse."""
    assert ("adjoint", "adjoint", Status.FAIL) in failing(Altered(output=off_by(1)))


def test_a_number_beyond_64_bits_is_a_failure_and_no_crash():
    found = failing(Altered(gradients=at(1, with_last(1e30))), f"{CASE},dtype=float64")
    assert ("adjoint", "adjoint", Status.FAIL) in found


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_gradients_through_every_padding_mode_pass(mode):
    token = f"v1,x=2x4x7x6,out=6,k=3x2,p=2x1,g=2,mode={mode}"
    assert not failing(Altered(), token)
    assert any(v.oracle == "adjoint" and v.status is Status.PASS for v in verdicts(Altered(), token))


@pytest.mark.parametrize("token", [CASE, f"{CASE},bias=false", CASE.replace("x=2x4", "x=4")])
def test_the_identity_holds_with_and_without_bias_and_batch(token):
    assert statuses(Altered(), token) == [Status.PASS]


def test_the_bias_is_no_part_of_the_bilinear_map():
    assert statuses(Altered(output=lambda a: a + np.float32(1))) == [Status.FAIL]


def test_bias_gradients_that_are_exchanged_have_the_same_sum_and_fail():
    assert statuses(Altered(gradients=at(2, lambda a: a[::-1].copy()))) == [Status.FAIL]


def test_the_scalars_are_shown():
    (found,) = verdicts(Altered(gradients=at(0, with_last(np.nan))), only=("adjoint",))
    assert "⟨Aᵀ·dy, x⟩ = no integer" in found.evidence.got
    assert found.clauses[0] == "C2D-GRAD-5"


def test_where_integers_are_not_exact_the_identity_does_not_apply():
    backend = Altered()
    backend.capabilities = Capabilities(gradients=True, profiles={"float32": WINOGRAD_F2})
    assert statuses(backend) == [Status.NOT_APPLICABLE]


@pytest.mark.parametrize("token", [f"{CASE},dtype=complex64", CASE.replace("x=2x", "x=0x")])
def test_of_complex_numbers_and_empty_batches_nothing_is_said(token):
    assert statuses(Altered(), token) == []


def test_results_that_may_have_been_rounded_say_nothing():
    (found,) = verdicts(Altered(), f"{CASE},dtype=bfloat16", only=("adjoint",))
    assert (found.status, found.reason[:27]) == (Status.VACUOUS, "some result needs more bits")
