import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Capabilities, Gradients, Status
from convcheck.model.profiles import GRADIENTS

NAME, CLAUSES = "gradients-exact", {"grad_input": "C2D-GRAD-1", "grad_weight": "C2D-GRAD-2", "grad_bias": "C2D-GRAD-3"}


def at(quantity, change):
    return lambda found: Gradients(
        *(change(a) if name == quantity else a for name, a in zip(GRADIENTS, found, strict=True))
    )


@pytest.mark.parametrize("quantity", GRADIENTS)
@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan)])
def test_one_wrong_element_fails_in_its_quantity(quantity, change):
    assert failing(Altered(gradients=at(quantity, change)), only=(NAME,)) == {(NAME, quantity, Status.FAIL)}


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_each_gradient_passes_by_its_own_clause_through_every_padding_mode(mode):
    found = verdicts(Altered(), f"v1,x=2x4x7x6,out=6,k=3x2,p=2x1,g=2,mode={mode}", only=(NAME,))
    assert [(v.quantity, v.status) for v in found] == [(quantity, Status.PASS) for quantity in GRADIENTS]
    assert all(CLAUSES[v.quantity] in v.clauses for v in found)
    assert all(("C2D-GRAD-6" in v.clauses) is (mode != "zeros") for v in found)


def test_a_layer_without_bias_has_no_gradient_of_it():
    found = verdicts(Altered(), f"{CASE},bias=false", only=(NAME,))
    assert [v.quantity for v in found] == ["grad_input", "grad_weight"]


def test_a_gradient_added_to_another_is_no_gradient():
    """As buffers that are not cleared do."""
    assert failing(Altered(gradients=at("grad_weight", lambda a: a + a)), only=(NAME,)) == {
        (NAME, "grad_weight", Status.FAIL)
    }


def test_without_gradients_nothing_is_judged():
    backend = Altered()
    backend.capabilities = Capabilities()
    assert verdicts(backend, only=(NAME,)) == ()
