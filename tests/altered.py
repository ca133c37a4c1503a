"""Wrong and legal variants of the reference, and what the oracles make of them."""

from functools import partial

import numpy as np

from convcheck import capabilities
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import applicable, find
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_backends import NumpyBackend

CASE = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"
"""A layer with a group, different strides, different paddings and a stride remainder."""


class Altered(NumpyBackend):
    """The reference, with one result altered after the fact."""

    def __init__(self, output=lambda a: a, gradients=lambda g: g):
        self.output, self.gradients = output, gradients

    def conv2d(self, x, weight, bias, params):
        return self.output(super().conv2d(x, weight, bias, params))

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        return self.gradients(super().conv2d_backward(grad_output, x, weight, bias, params))


class CachingByContents(NumpyBackend):
    """The reference with a cache that is right: it goes by everything that the output depends on."""

    def __init__(self):
        self.kept = {}

    def conv2d(self, x, weight, bias, params):
        key = (params, x.shape, *(None if a is None else (a.dtype, a.tobytes()) for a in (x, weight, bias)))
        if key not in self.kept:
            self.kept[key] = super().conv2d(x, weight, bias, params)
        return self.kept[key].copy()


def verdicts(backend, token=CASE, only=()):
    """Every verdict of every oracle, or of those whose names are in `only`."""
    case = read(token)
    oracles = [find(name) for name in only] or applicable(case)
    return judge_case(InProcessCandidate(lambda: backend), case, oracles)[0]


def failing(backend, token=CASE, only=()):
    """(oracle, quantity, status) of the failing verdicts."""
    return {(v.oracle, v.quantity, v.status) for v in verdicts(backend, token, only) if v.status in FAILURES}


def off_by(amount):
    """A function that changes the last element of an array by `amount`."""

    def change(a):
        a = a.copy()
        a.reshape(-1)[-1] += a.dtype.type(amount)
        return a

    return change


def with_last(value):
    """A function that sets the last element of an array to `value`."""

    def change(a):
        a = a.copy()
        a.reshape(-1)[-1] = np.asarray(value).astype(a.dtype)
        return a

    return change


def judged_function(function, oracle, token=CASE, **declared):
    """The verdicts of one oracle, and of parity, on a function on torch's tensors."""
    declare = capabilities(arrays="torch", **declared)
    backend = FunctionBackend(declare(partial(function)), function.__name__)
    return verdicts(backend, token, only=("parity", oracle))
