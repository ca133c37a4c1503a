import numpy as np
import pytest

from altered import CASE, Altered, failing, verdicts
from convcheck import PROFILES, Capabilities, Status
from convcheck.model.token import read
from convcheck.oracles import ORACLES, Trial, extra_calls
from convcheck.plugin.registry import load
from convcheck_backends import NumpyBackend
from convcheck_reference.formats import DTYPES

ONLY = ("one-hot",)
FAIL = {("one-hot", "output", Status.FAIL)}


def failure(backend, token=CASE):
    (found,) = [v for v in verdicts(backend, token, ONLY) if v.status is Status.FAIL]
    return found


def test_a_flipped_kernel_is_named_by_its_tap():
    class Flipped(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            return super().conv2d(x, np.ascontiguousarray(weight[..., ::-1, ::-1]), bias, params)

    assert failure(Flipped()).reason == (
        "filter 0 is 1 at tap (0, 0) of input channel 0 only, but the output "
        "is what lies under tap (2, 1) of input channel 0"
    )


def test_a_wrong_group_is_named_by_its_channel():
    class Swapped(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            return super().conv2d(np.roll(x, 2, axis=1), weight, bias, params)

    assert failure(Swapped()).reason.endswith("is what lies under tap (0, 0) of input channel 2")


def test_what_is_no_copy_is_said_to_be_none():
    assert failure(Altered(lambda a: a * a.dtype.type(1 + 2**-20))).reason.endswith(
        "a copy of nothing under another tap"
    )


def test_flushed_subnormals_fail_unless_the_profile_flushes_them():
    def flushed(a):
        return np.where(np.abs(a) < np.finfo(a.dtype).tiny, 0, a)

    class Flushing(Altered):
        capabilities = Capabilities(
            dtypes=("float32", "bfloat16"), profiles={"bfloat16": PROFILES["bf16-in-fp32-acc-flushing"]}
        )

    assert failing(Altered(flushed), CASE, ONLY) == FAIL
    assert not failing(NumpyBackend(), CASE, ONLY)
    assert {v.status for v in verdicts(Flushing(), f"{CASE},dtype=bfloat16", ONLY)} == {Status.PASS}


def test_operands_rounded_to_tf32_fail_where_float32_is_promised():
    class Rounded(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            x = ((x.copy().view(np.int32) + 0x1000) & ~0x1FFF).view(np.float32)
            return super().conv2d(x, weight, bias, params)

    assert failing(Rounded(), CASE, ONLY) == FAIL


def test_it_is_not_asked_of_profiles_that_round_or_transform_the_input():
    oracles = [o for o in ORACLES if o.name in ONLY]
    tf32 = Capabilities(profiles={"float32": PROFILES["tf32"]})
    assert not extra_calls(Trial(read(CASE), tf32), oracles)
    assert extra_calls(Trial(read(CASE), Capabilities()), oracles)


@pytest.mark.parametrize("layout", ["layout=expanded", "layout=channels_last", "layout-x=broadcast"])
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_the_reference_passes(mode, dtype, layout):
    for token in ("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1,g=2", "v1,x=4x5x4,out=3,k=2,p=same", "v1,x=1x1x3x3,out=1,k=1"):
        found = verdicts(NumpyBackend(), f"{token},mode={mode},dtype={dtype},{layout}", ONLY)
        assert {v.status for v in found} == {Status.PASS}


@pytest.mark.parametrize("backend", ["torch-cpu", "torch-cpu-native"])
def test_torch_passes(backend):
    for token in (CASE, "v1,x=2x3x6x6,out=4,k=3,p=1,mode=reflect", "v1,x=3x5x5,out=2,k=2,s=2"):
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            assert {v.status for v in verdicts(load(backend), f"{token},dtype={dtype}", ONLY)} == {Status.PASS}


def test_taps_that_lie_in_the_padding_only_are_vacuous():
    found = verdicts(NumpyBackend(), "v1,x=1x1x1x1,out=1,k=3,p=1", ONLY)
    assert {v.status for v in found} == {Status.VACUOUS}


@pytest.mark.parametrize(("dtype", "profile"), [("float64", "fp32-strict"), ("float32", "fp16-acc")])
def test_values_that_the_promised_accumulator_does_not_hold_are_not_asked_for(dtype, profile):
    narrow = DTYPES[PROFILES[profile].accumulator.name]

    class Narrow(NumpyBackend):
        capabilities = Capabilities(dtypes=(dtype,), profiles={dtype: PROFILES[profile]})

        def conv2d(self, x, weight, bias, params):
            with np.errstate(over="ignore"):
                tensors = [None if a is None else a.astype(narrow) for a in (x, weight, bias)]
            return super().conv2d(*tensors, params).astype(x.dtype)

    for seed in range(20):
        found = verdicts(Narrow(), f"{CASE},dtype={dtype},seed={seed}", ONLY)
        assert {v.status for v in found} == {Status.PASS}
    assert failing(Altered(lambda a: a * a.dtype.type(1 + 2**-8)), f"{CASE},dtype={dtype}", ONLY)
