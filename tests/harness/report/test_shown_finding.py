from dataclasses import replace

import pytest

from convcheck.model.diagnosis import Diagnosis, FailureCondition
from convcheck.model.rules import Rule
from convcheck.report.shown_finding import parameters_of, shown
from full_record import COMPLETE, FINDINGS


@pytest.mark.parametrize(
    ("rule", "parameters"),
    [
        ("groups > 1 and bias", ("bias", "groups")),
        ("stride_h != stride_w", ("stride",)),
        ("padding_same and kernel_h % 2 == 0", ("kernel_size", "padding")),
        ("output_w % 4 == 1", ("output size",)),
        ("height > 8 and kernel_pair", ("input size", "kernel_size")),
        ("padding_mode == 'reflect'", ("padding_mode",)),
        ("in_per_group > 1", ("in_channels",)),
        ("", ()),
    ],
)
def test_parameters_are_those_of_the_failure_condition(rule, parameters):
    condition = FailureCondition(Rule(rule), 1.0, 1.0, 100)
    assert parameters_of(replace(COMPLETE, diagnosis=Diagnosis(failure_condition=condition))) == parameters


def test_without_a_condition_there_are_none():
    assert parameters_of(FINDINGS[2]) == ()


def test_cases_can_be_copied_and_pictures_left_out():
    found = shown(COMPLETE, illustrated=False)
    assert [name for name, _, is_case in found.rows if is_case] == ["smallest case", "first failing case"]
    assert found.figures == ()
    assert len(shown(COMPLETE, illustrated=True).figures) == 4
