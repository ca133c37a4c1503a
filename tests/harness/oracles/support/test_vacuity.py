import numpy as np
import pytest

from altered import CASE, verdicts
from convcheck import Capabilities, Status
from convcheck.model.profiles import BF16_ACC
from convcheck.model.token import read
from convcheck.oracles.support.sums import Sum
from convcheck.oracles.support.trial import Trial
from convcheck.oracles.support.vacuity import blind_taps, too_few_judged, vacuous
from convcheck_backends import NumpyBackend

LAYER = read(CASE)


def reason(values, gauge=None, quantity="output", token=CASE):
    values = np.asarray(values, float)
    gauge = np.abs(values) if gauge is None else np.asarray(gauge, float)
    return vacuous(Sum(values, 4, (1.0, 1.0), 0.0, lambda: gauge), quantity, read(token))


def test_results_that_tell_right_from_wrong_count():
    assert reason([1, 2, 3, 4, 5, 6, 7, 8]) == ""
    assert reason([0, 0, 0, 1, 2], gauge=[1, 1, 1, 1, 2]) == ""


def test_sums_of_zeros_do_not():
    assert "only 20%" in reason([0, 0, 0, 0, 1])
    assert reason([0.0, 0.0], quantity="grad_input") == "every element is a sum of zeros"


def test_pixels_that_no_window_reads_do_not_count_against_a_gradient():
    assert reason([0, 0, 0, 0, 1, 2, 3], quantity="grad_input") == ""


def test_constant_and_two_valued_results_do_not():
    assert reason([5.0] * 9) == "the result is constant"
    assert reason([5.0, 7.0] * 4) == "the result takes two values only"
    assert reason([5.0, 7.0]) == ""
    assert reason([5.0] * 9, token=f"{CASE},nonzeros=1") == ""


def test_complex_results_are_looked_at_too():
    values = np.array([1 + 1j, 2 - 1j] * 4)
    assert vacuous(Sum(values, 4, (1.0, 1.0), 0.0, lambda: np.abs(values)), "output", LAYER)


def test_taps_that_read_zeros_only_do_not():
    x = np.zeros(LAYER.input_shape)
    x[0, 0, 2, 2] = 1
    assert "of the kernel's taps" in blind_taps(x, LAYER)
    x[:, :, 2:4, :] = 1
    assert blind_taps(x, LAYER) == ""


def test_taps_that_read_padding_only_do_not_count():
    case = read("v1,x=1x1x1x1,out=1,k=3,p=1")
    assert blind_taps(np.ones(case.input_shape), case) == ""
    sparse = read("v1,x=4x1x1x1,out=1,k=3,p=1")
    assert blind_taps(np.array([1.0, 0, 0, 0]).reshape(4, 1, 1, 1), sparse) == ""


def test_half_has_to_be_judged():
    assert too_few_judged(5, 10) == ""
    assert "only 40%" in too_few_judged(4, 10)


@pytest.mark.parametrize("seed", range(5))
def test_drawn_data_are_not_vacuous(seed):
    found = verdicts(
        NumpyBackend(), f"{CASE},seed={seed}", only=("exact", "bounded", "gradients-exact", "gradients-bounded")
    )
    assert {v.status for v in found} == {Status.PASS}


@pytest.mark.parametrize(("layer", "hidden"), [("x=2x8x9x9,out=2,k=3", False), ("x=2x64x9x9,out=2,k=5", True)])
def test_long_sums_in_few_bits_hide_taps_and_say_so(layer, hidden):
    backend = NumpyBackend()
    backend.capabilities = Capabilities(dtypes=("bfloat16",), profiles={"bfloat16": BF16_ACC})
    trial = Trial(read(f"v1,{layer},dtype=bfloat16"), backend.capabilities)
    assert np.count_nonzero(trial.integers.x) < trial.integers.x.size / 2
    assert bool(blind_taps(trial.integers.x, trial.case)) is hidden
    found = {v.status for v in verdicts(backend, trial.case.token, only=("exact",))}
    assert found == {Status.VACUOUS if hidden else Status.PASS}
