import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Gradients, Status

NAMES = ("grad_input", "grad_weight", "grad_bias")


def at(position, change):
    return lambda gradients: Gradients(*(change(a) if i == position else a for i, a in enumerate(gradients)))


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan)])
def test_one_wrong_element_fails(position, change):
    found = failing(Altered(gradients=at(position, change)))
    assert ("gradients-exact", NAMES[position], Status.FAIL) in found
    assert ("gradients-bounded", NAMES[position], Status.FAIL) in found
    assert ("adjoint", "adjoint", Status.FAIL) in found


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
