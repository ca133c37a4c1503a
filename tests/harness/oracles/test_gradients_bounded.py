import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Gradients, Status
from convcheck.model.profiles import GRADIENTS

NAME = "gradients-bounded"


def at(quantity, change):
    return lambda found: Gradients(
        *(change(a) if name == quantity else a for name, a in zip(GRADIENTS, found, strict=True))
    )


@pytest.mark.parametrize("quantity", GRADIENTS)
@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan)])
def test_one_wrong_element_fails_in_its_quantity(quantity, change):
    assert failing(Altered(gradients=at(quantity, change)), only=(NAME,)) == {(NAME, quantity, Status.FAIL)}


@pytest.mark.parametrize("quantity", GRADIENTS)
def test_an_error_just_above_the_bound_fails_and_just_below_it_passes(quantity):
    token = f"{CASE},dtype=float64,values=positive"
    below, above = (
        failing(Altered(gradients=at(quantity, lambda a, e=e: a * (1 + e))), token, only=(NAME,))
        for e in (2.0**-52, 2.0**-43)
    )
    assert not below
    assert above == {(NAME, quantity, Status.FAIL)}


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_gradients_through_every_padding_mode_pass(mode, dtype):
    found = verdicts(Altered(), f"v1,x=2x4x7x6,out=6,k=3x2,p=2x1,g=2,mode={mode},dtype={dtype}", only=(NAME,))
    assert [(v.quantity, v.status) for v in found] == [(quantity, Status.PASS) for quantity in GRADIENTS]


def test_the_wrong_element_is_shown_in_its_gradient():
    (found,) = (v for v in verdicts(Altered(gradients=at("grad_weight", off_by(1))), only=(NAME,)) if v.evidence)
    assert found.evidence.index == (5, 1, 2, 1)
    assert np.isfinite(found.margin)
