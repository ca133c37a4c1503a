"""Kernels that a forked child calls."""

import os
from dataclasses import replace

import numpy as np

from altered import CASE, Altered, failing, verdicts
from convcheck import Status
from convcheck.execution.forking import in_child
from convcheck.model.calls import Returned
from convcheck.model.verdicts import FAILURES
from convcheck_backends import NumpyBackend, TorchCpu

FORK_SAFE = replace(NumpyBackend.capabilities, fork_safe=True)


class OwnedByItsProcess(NumpyBackend):
    """Has a workspace that belongs to the process that made it; elsewhere it reads zeros."""

    capabilities = FORK_SAFE

    def __init__(self):
        self.owner = os.getpid()

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right if os.getpid() == self.owner else np.zeros_like(right)


class DiesInChildren(OwnedByItsProcess):
    def conv2d(self, x, weight, bias, params):
        if os.getpid() != self.owner:
            os._exit(3)
        return super().conv2d(x, weight, bias, params)


class Declared(Altered):
    capabilities = FORK_SAFE


def test_a_kernel_that_is_wrong_in_a_child_fails():
    assert failing(OwnedByItsProcess(), CASE, only=("fork",)) == {("fork", "output", Status.FAIL)}


def test_a_kernel_that_ends_a_child_fails_and_the_run_goes_on():
    found = [v for v in verdicts(DiesInChildren(), CASE, only=("parity", "fork")) if v.status in FAILURES]
    assert [(v.quantity, v.status) for v in found] == [("call", Status.WRONGLY_REFUSED)]
    assert "ended without a result" in found[0].reason


def test_a_kernel_that_a_child_may_call_passes():
    found = {v.quantity: v.status for v in verdicts(Declared(), CASE, only=("fork",))}
    assert set(found.values()) == {Status.PASS}
    assert {"output", "grad_weight"} <= set(found)


def test_nobody_forks_where_it_is_not_declared():
    for backend in (NumpyBackend(), TorchCpu()):
        assert [v.status for v in verdicts(backend, CASE, only=("fork",))] == [Status.NOT_APPLICABLE]


def test_a_child_that_hangs_is_ended():
    def hang():
        while True:
            pass

    found = in_child(hang, limit=0.05)
    assert "did not return within 0.05 s" in found.message


def test_a_child_answers_what_the_process_would():
    found = in_child(lambda: Returned({"output": np.arange(3.0)}, others=2, first_other=7))
    assert np.array_equal(found.arrays["output"], np.arange(3.0))
    assert (found.others, found.first_other) == (2, 7)
