import numpy as np
import pytest

from altered import CASE, Altered, off_by, with_last
from convcheck.model.token import read
from convcheck.triage.diagnosis.agreement import agree
from convcheck.triage.diagnosis.suspects import EVERYTHING
from stand_ins import probe_of


def trial(output=lambda a: a, gradients=lambda g: g, more=""):
    return probe_of(lambda: Altered(output, gradients)).trial(read(CASE + more), EVERYTHING)


def raising(_):
    raise ValueError("no")


def on_reals(change):
    return lambda a: a if (a == np.rint(a)).all() else change(a)


@pytest.mark.parametrize("more", ["", ",dtype=bfloat16", ",dtype=complex64", ",values=special"])
def test_what_is_equal_agrees(more):
    for quantity in ("output", "grad_input", "call"):
        assert agree(trial(more=more), trial(more=more), quantity)


@pytest.mark.parametrize("change", [off_by(1), with_last(np.nan), lambda a: a[..., 1:], lambda a: a.astype(np.float64)])
def test_integers_agree_bit_for_bit(change):
    assert not agree(trial(change), trial(), "output")
    assert agree(trial(change), trial(change), "output")


def test_reals_agree_within_the_roundings_of_both():
    assert agree(trial(on_reals(lambda a: np.nextafter(a, np.float32(9)))), trial(), "output")
    assert not agree(trial(on_reals(lambda a: a * np.float32(1.001))), trial(), "output")
    assert not agree(trial(on_reals(with_last(np.inf))), trial(on_reals(with_last(-np.inf))), "output")


def test_only_the_quantity_that_is_asked_for_is_compared_and_of_a_call_all():
    wrong = trial(gradients=lambda g: g._replace(weight=g.weight + np.float32(1)))
    assert agree(wrong, trial(), "output")
    assert agree(wrong, trial(), "grad_input")
    assert not agree(wrong, trial(), "grad_weight")
    assert not agree(wrong, trial(), "call")


def test_exceptions_agree_whatever_they_say_but_not_with_results():
    def otherwise(_):
        raise TypeError("other")

    assert agree(trial(raising), trial(otherwise), "output")
    assert not agree(trial(raising), trial(), "output")
