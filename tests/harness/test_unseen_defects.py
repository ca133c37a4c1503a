"""Each defect of the second set is wrong on a witness of its region, in one quantity, and right outside."""

import ml_dtypes
import numpy as np
import pytest

from convcheck.defects import DEFECTS as LIBRARY
from convcheck.profiles import QUANTITIES
from convcheck.reference_backend import ReferenceBackend
from convcheck.rules import facts
from convcheck.token import read
from convcheck_reference.formats import DTYPES
from unseen_defects import DEFECTS

BY_NAME = {item.name: item for item in DEFECTS}

OUTPUT = [
    ("few-channels-later-rows", "v1,x=1x3x9x9,out=2,k=3,d=2", "v1,x=1x5x9x9,out=2,k=3,d=2"),
    ("patch-embedding-rounded-up", "v1,x=1x3x28x28,out=4,k=14,s=14", "v1,x=1x2x8x8,out=4,k=4,s=4"),
    ("winograd-tiles-beyond-four", "v1,x=1x8x22x6,out=3,k=3", "v1,x=1x8x18x6,out=3,k=3"),
    ("planes-after-threads-share", "v1,x=3x2x4x4,out=25,k=3", "v1,x=4x2x4x4,out=18,k=3"),
    ("bias-in-every-split", "v1,x=1x32x7x7,out=2,k=3,p=1", "v1,x=1x32x9x9,out=2,k=3,p=1"),
    ("bias-lost-with-uneven-same", "v1,x=1x2x5x5,out=2,k=2,p=same", "v1,x=1x2x5x5,out=2,k=3,p=same"),
    ("nan-clamped-in-vectors", "v1,x=1x4x6x6,out=4,k=3,p=1,g=4,values=special", "v1,x=1x4x6x6,out=4,k=3,p=1,g=4"),
    ("one-channel-as-channels-last", "v1,x=2x1x6x6,out=3,k=3", "v1,x=2x2x6x6,out=3,k=3"),
    ("pointwise-slice-offset-twice", "v1,x=1x3x4x4,out=2,k=1,layout-weight=sliced", "v1,x=1x3x4x4,out=2,k=1"),
    ("weight-offset-in-16-bits", "v1,x=1x65x3x3,out=113,k=3,bias=false", "v1,x=1x64x3x3,out=113,k=3,bias=false"),
]
GRADIENTS = [
    ("grad-input-narrow-strided", "v1,x=1x17x7x7,out=2,k=3,s=2,p=1", "v1,x=1x17x7x17,out=2,k=3,s=2,p=1"),
    ("grad-input-second-half", "v1,x=4x2x4x4,out=2,k=3,g=2", "v1,x=3x2x4x4,out=2,k=3,g=2"),
    ("grad-input-replicate-corners", "v1,x=1x2x5x5,out=2,k=3,p=1,mode=replicate", "v1,x=1x2x5x5,out=2,k=3,p=1"),
    ("grad-weight-depthwise-bottom", "v1,x=1x3x7x7,out=3,k=3,s=2,p=1,g=3", "v1,x=1x3x6x6,out=3,k=3,s=2,p=1,g=3"),
    ("grad-weight-cropped-from-the-front", "v1,x=1x2x6x6,out=2,k=3,s=2", "v1,x=1x2x7x7,out=2,k=3,s=2"),
    ("grad-weight-odd-batch", "v1,x=3x2x4x4,out=2,k=1", "v1,x=2x2x4x4,out=2,k=1"),
    (
        "grad-bias-summed-in-bfloat16",
        "v1,x=2x1x14x14,out=2,k=3,dtype=bfloat16",
        "v1,x=2x1x14x14,out=2,k=3,dtype=float16",
    ),
]
QUANTITY = {name: "output" for name, *_ in OUTPUT} | {
    name: "_".join(name.split("-")[:2]) for name, *_ in GRADIENTS
}  # the names of gradient defects begin with what they get wrong
WITNESSES = [*OUTPUT, *GRADIENTS]


def data(case):
    """Integers, which every sum of a few hundred products holds exactly in float32."""
    rng = np.random.default_rng(case.seed)

    def draw(shape):
        return rng.integers(1, 5, shape).astype(DTYPES[case.dtype])

    x, weight, grad = (draw(s) for s in (case.input_shape, case.params.weight_shape, case.output_shape))
    if case.regime == "special":
        x[..., 2, 2] = np.nan
    if case.layouts[1] == "sliced":
        larger = draw(tuple(size + 1 for size in weight.shape))
        larger[1:, 1:, 1:, 1:] = weight
        weight = larger[1:, 1:, 1:, 1:]
    return x, weight, draw(case.params.bias_shape) if case.params.bias else None, grad


def results(backend, case):
    x, weight, bias, grad = data(case)
    output = backend.conv2d(x, weight, bias, case.params)
    return dict(zip(QUANTITIES, (output, *backend.conv2d_backward(grad, x, weight, bias, case.params)), strict=True))


def wrong(item, case):
    got, wanted = results(item.backend(), case), results(ReferenceBackend(), case)
    return [q for q in QUANTITIES if wanted[q] is not None and not np.array_equal(got[q], wanted[q], equal_nan=True)]


def test_there_are_twenty_that_the_library_does_not_have():
    assert len(BY_NAME) == 20
    assert not set(BY_NAME) & {item.name for item in LIBRARY}
    assert not {item.summary for item in DEFECTS} & {item.summary for item in LIBRARY}


def test_every_defect_has_a_witness():
    stateful = {"packed-weight-kept-by-address", "flush-to-zero-left-on", "grad-output-reduced-in-place"}
    assert {name for name, *_ in WITNESSES} | stateful == set(BY_NAME)


@pytest.mark.parametrize(("name", "inside", "outside"), WITNESSES, ids=[name for name, *_ in WITNESSES])
def test_it_is_wrong_inside_its_region_and_right_outside(name, inside, outside):
    item, inside, outside = BY_NAME[name], read(inside), read(outside)
    assert item.region.holds(facts(inside))
    assert not item.region.holds(facts(outside))
    assert wrong(item, inside) == [QUANTITY[name]]
    assert not wrong(item, outside)


def test_a_bfloat16_sum_stops_growing():
    item, case = BY_NAME["grad-bias-summed-in-bfloat16"], read("v1,x=1x1x22x22,out=1,k=3,dtype=bfloat16")
    x, weight, bias, grad = data(case)
    grad[:] = 1
    got = item.backend().conv2d_backward(grad, x, weight, bias, case.params).bias
    assert got.dtype == ml_dtypes.bfloat16
    assert got == 256  # of 400, as in the report


@pytest.mark.parametrize(("token", "stale"), [("v1,x=1x2x4x4,out=2,k=2", True), ("v1,x=1x2x4x4,out=2,k=2,g=2", False)])
def test_a_packed_weight_does_not_see_an_update_in_place(token, stale):
    item, case = BY_NAME["packed-weight-kept-by-address"], read(token)
    assert item.region.holds(facts(case)) is stale
    backend, (x, weight, bias, _) = item.backend(), data(case)
    before = backend.conv2d(x, weight, bias, case.params)
    weight += 1
    after = backend.conv2d(x, weight, bias, case.params)
    assert np.array_equal(after, before) is stale
    assert np.array_equal(after, ReferenceBackend().conv2d(x, weight, bias, case.params)) is not stale


@pytest.mark.parametrize("before", ["float16", "float64"])
def test_flushing_is_left_on_by_float16_alone(before):
    item, case = BY_NAME["flush-to-zero-left-on"], read("v1,x=1x1x3x3,out=1,k=1,bias=false,values=subnormal")
    assert item.region.holds(facts(case))
    backend, params = item.backend(), case.params
    x, weight = np.full((1, 1, 3, 3), 1e-40, np.float32), np.ones((1, 1, 1, 1), np.float32)
    assert np.array_equal(backend.conv2d(x, weight, None, params), x)
    backend.conv2d(x.astype(before), weight.astype(before), None, params)
    assert np.array_equal(backend.conv2d(x, weight, None, params), np.zeros_like(x) if before == "float16" else x)


@pytest.mark.parametrize(("token", "altered"), [("v1,x=2x1x4x4,out=2,k=2", True), ("v1,x=1x1x4x4,out=2,k=2", False)])
def test_the_gradient_of_the_caller_is_summed_in_place(token, altered):
    item, case = BY_NAME["grad-output-reduced-in-place"], read(token)
    assert item.region.holds(facts(case)) is altered
    x, weight, bias, grad = data(case)
    kept = grad.copy()
    got = item.backend().conv2d_backward(grad, x, weight, bias, case.params)
    wanted = ReferenceBackend().conv2d_backward(kept, x, weight, bias, case.params)
    assert all(map(np.array_equal, got, wanted))
    assert np.array_equal(grad, kept) is not altered
