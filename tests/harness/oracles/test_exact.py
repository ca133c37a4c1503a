import numpy as np
import pytest

from altered import CASE, Altered, failing, off_by, verdicts, with_last
from convcheck import Capabilities, Status
from convcheck.model.profiles import FP16_ACC, WINOGRAD_F4
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.oracles.exact import expectation
from convcheck.plugin.registry import load
from convcheck.tensors.poison import POISON_BYTE
from convcheck_backends import NumpyBackend


def judged(backend, token=CASE):
    return verdicts(backend, token, only=("exact",))


def promising(profile):
    backend = Altered()
    backend.capabilities = Capabilities(profiles={"float32": profile})
    return backend


@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan), with_last(np.inf), with_last(0)])
def test_one_wrong_element_fails(change):
    assert failing(Altered(change), only=("exact",)) == {("exact", "output", Status.FAIL)}


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "complex64"])
def test_the_right_integers_pass_in_every_dtype(dtype):
    (found,) = judged(Altered(), f"{CASE},dtype={dtype}")
    assert found.status is Status.PASS
    assert "C2D-ARITH-1" in found.clauses


def test_integers_have_to_be_right_bit_for_bit():
    def next_number(a):
        return np.nextafter(a, np.float32(np.inf))

    assert [v.status for v in judged(Altered(next_number))] == [Status.FAIL]
    assert [v.status for v in judged(Altered(lambda a: np.where(a == 0, np.float32(-0.0), a)))] == [Status.PASS]


def test_memory_that_was_never_written_is_told_from_a_wrong_value():
    def unwritten(a):
        a = a.copy()
        a[..., -1] = np.frombuffer(bytes([POISON_BYTE]) * 4, np.float32)
        return a

    (found,) = judged(Altered(unwritten))
    assert found.status is Status.UNWRITTEN
    assert found.clauses[0] == "C2D-PURE-2"
    assert found.evidence.location.startswith("the last column")


def test_data_fit_what_is_promised():
    """Sums in float16 are exact as well, of smaller integers."""
    assert [v.status for v in judged(promising(FP16_ACC))] == [Status.PASS]
    tolerance = expectation(Trial(read(CASE), promising(FP16_ACC).capabilities), "output").tolerance
    assert (tolerance == 0).mean() >= 0.5


def test_under_transforms_that_divide_the_nearest_integer_has_to_be_the_right_one():
    token = "v1,x=1x3x8x8,out=2,k=3"
    backend = promising(WINOGRAD_F4)
    assert [v.status for v in judged(backend, token)] == [Status.PASS]
    backend.output = lambda a: a + np.float32(0.25)
    assert [v.status for v in judged(backend, token)] == [Status.PASS]
    backend.output = lambda a: a + np.float32(0.75)
    assert [v.status for v in judged(backend, token)] == [Status.FAIL]


def test_a_case_that_could_not_tell_is_vacuous():
    assert [v.status for v in judged(load("numpy"), "v1,x=1x1x1x1,out=1,k=1,p=4,bias=false")] == [Status.VACUOUS]


@pytest.mark.parametrize("token", [f"{CASE},entry=module", CASE.replace("x=2x", "x=0x")])
def test_without_an_output_there_is_nothing_to_judge(token):
    assert judged(Altered(), token) == ()
    assert judged(Altered(lambda a: a[..., 1:])) == ()


def test_what_is_due_is_the_reference_on_the_same_integers():
    trial = Trial(read(CASE), NumpyBackend.capabilities)
    due = expectation(trial, "output")
    assert due.key == ("", "integers forward")
    assert np.array_equal(due.value, trial.expected_integers.sum("output").value)
