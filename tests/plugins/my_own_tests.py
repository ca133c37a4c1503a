"""Tests of one's own, of a kernel of one's own: pytest my_own_tests.py

The first is a test of Hypothesis with the tensors in hand; the second gives one test for each dtype and clause.
"""

import numpy as np
from hypothesis import given, settings
from my_kernel import my_conv

import convcheck


@settings(deadline=None)
@given(call=convcheck.strategies.calls())
def test_my_conv_is_exact_on_integers(call):
    output = my_conv(*call.tensors, **call.keywords)
    assert np.array_equal(output, call.expected)


@convcheck.parametrize_with_checks([my_conv], examples=40)
def test_my_conv_conforms(backend, check):
    check(backend)
