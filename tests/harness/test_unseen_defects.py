"""Each defect of the second and third sets is wrong on a witness of its region, and right outside."""

import ml_dtypes
import numpy as np
import pytest

from convcheck.defects import DEFECTS as LIBRARY
from convcheck.model.profiles import QUANTITIES
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck_reference.formats import DTYPES
from unseen_defects import DEFECTS, LATER

BY_NAME = {item.name: item for item in (*DEFECTS, *LATER)}

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
LATER_OUTPUT = [
    ("multiplier-lane-of-four", "v1,x=1x3x5x5,out=6,k=3,g=3", "v1,x=1x3x5x5,out=12,k=3,g=3"),
    ("circular-corners-zero", "v1,x=1x2x5x5,out=2,k=3,p=1,mode=circular", "v1,x=1x2x5x5,out=2,k=3,p=1x0,mode=circular"),
    ("taps-beyond-256", "v1,x=1x1x17x17,out=2,k=17", "v1,x=1x1x17x17,out=2,k=16"),
    ("fft-of-larger-batches", "v1,x=4x3x9x9,out=2,k=5,p=2", "v1,x=3x3x9x9,out=2,k=5,p=2"),
    ("float64-single-pixel", "v1,x=2x2x3x3,out=2,k=3,dtype=float64", "v1,x=2x2x3x4,out=2,k=3,dtype=float64"),
    ("nan-in-fourth-lane", "v1,x=1x2x6x6,out=2,k=3,p=1,values=special", "v1,x=1x2x6x6,out=2,k=3x2,p=1,values=special"),
]
LATER_GRADIENTS = [
    ("grad-input-of-first-group", "v1,x=1x4x6x6,out=4,k=3,s=2,g=2", "v1,x=1x4x6x6,out=4,k=3,g=2"),
    ("grad-input-negative-padding", "v1,x=1x2x4x4,out=2,k=1,p=1", "v1,x=1x2x4x4,out=2,k=2,p=1"),
    (
        "grad-input-weight-in-memory-order",
        "v1,x=1x2x5x5,out=2,k=3,layout-weight=transposed",
        "v1,x=1x2x5x5,out=2,k=3,layout-weight=sliced",
    ),
    ("grad-input-strides-of-x", "v1,x=2x2x5x5,out=2,k=3,layout-x=expanded", "v1,x=1x2x5x5,out=2,k=3,layout-x=expanded"),
    (
        "grad-weight-bfloat16-over-batch",
        "v1,x=6x2x9x9,out=4,k=3,dtype=bfloat16",
        "v1,x=1x2x9x9,out=4,k=3,dtype=bfloat16",
    ),
    ("grad-bias-one-block", "v1,x=1x1x35x35,out=2,k=3", "v1,x=1x1x34x34,out=2,k=3"),
]
QUANTITY = {name: "output" for name, *_ in (*OUTPUT, *LATER_OUTPUT)} | {
    name: "_".join(name.split("-")[:2]) for name, *_ in (*GRADIENTS, *LATER_GRADIENTS)
}  # the names of gradient defects begin with what they get wrong
WITNESSES = [*OUTPUT, *GRADIENTS, *LATER_OUTPUT, *LATER_GRADIENTS]


def data(case):
    """Integers, which every sum of a few hundred products holds exactly in float32."""
    rng = np.random.default_rng(case.seed)

    def draw(shape):
        return rng.integers(1, 5, shape).astype(DTYPES[case.dtype])

    x, weight, grad = (draw(s) for s in (case.input_shape, case.params.weight_shape, case.output_shape))
    if case.dtype == "float64":
        x += 2.0**25  # then odd numbers have no place in float32
    if case.regime == "special":
        x[..., 2, 2] = np.nan
    if case.regime == "subnormal":
        grad *= np.finfo(grad.dtype).smallest_subnormal
    if case.layouts[0] == "expanded":
        x = np.broadcast_to(x[:1], x.shape)
    if case.layouts[1] == "transposed":
        weight = weight.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    if case.layouts[1] == "sliced":
        larger = draw(tuple(size + 1 for size in weight.shape))
        larger[1:, 1:, 1:, 1:] = weight
        weight = larger[1:, 1:, 1:, 1:]
    return x, weight, draw(case.params.bias_shape) if case.params.bias else None, grad


def results(backend, case):
    x, weight, bias, grad = data(case)
    output = backend.conv2d(x, weight, bias, case.params)
    return dict(zip(QUANTITIES, (output, *backend.conv2d_backward(grad, x, weight, bias, case.params)), strict=True))


def run(backend, case):
    x, weight, bias, _ = data(case)
    return backend.conv2d(x, weight, bias, case.params)


def layer(backend, case):
    arguments = {name: getattr(case.arguments, name) for name in case.arguments.__slots__}
    return backend.make_module(**arguments, dtype=case.dtype)


def wrong(item, case):
    got, wanted = results(item.backend(), case), results(ReferenceBackend(), case)
    return [q for q in QUANTITIES if wanted[q] is not None and not np.array_equal(got[q], wanted[q], equal_nan=True)]


def test_there_are_twenty_in_each_set_that_the_library_does_not_have():
    assert len(DEFECTS) == len(LATER) == 20
    assert len(BY_NAME) == 40
    assert not set(BY_NAME) & {item.name for item in LIBRARY}
    assert not {item.summary for item in BY_NAME.values()} & {item.summary for item in LIBRARY}


def test_every_defect_has_a_witness():
    apart = {
        "packed-weight-kept-by-address", "flush-to-zero-left-on", "grad-output-reduced-in-place",
        "gradients-of-half-flushed", "module-same-dilations-exchanged", "module-fan-in-ungrouped",
        "dilated-plan-of-first-size", "unwritten-after-refusal", "grad-weight-share-lost",
        "phantom-output", "small-image-refused",
    }  # fmt: skip
    assert {name for name, *_ in WITNESSES} | apart == set(BY_NAME)


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


@pytest.mark.parametrize(("dtype", "expected"), [("float16", ["grad_input", "grad_weight"]), ("float32", [])])
def test_small_gradients_of_half_are_flushed(dtype, expected):
    item, case = BY_NAME["gradients-of-half-flushed"], read(f"v1,x=1x2x5x5,out=2,k=3,dtype={dtype},values=subnormal")
    assert item.region.holds(facts(case)) is (dtype == "float16")
    assert wrong(item, case) == expected


@pytest.mark.parametrize(("dilation", "wanted"), [("2x3", (9, 7)), ("2", (8, 8))])
def test_a_layer_pads_for_exchanged_dilations(dilation, wanted):
    item = BY_NAME["module-same-dilations-exchanged"]
    case = read(f"v1,x=1x2x8x8,out=2,k=2,p=same,d={dilation},entry=module")
    assert item.region.holds(facts(case)) is (wanted != (8, 8))
    module, (x, *_) = layer(item.backend(), case), data(case)
    got = module(x)
    assert got.shape[2:] == wanted
    if wanted == (8, 8):
        assert np.array_equal(got, ReferenceBackend().conv2d(x, module.weight, module.bias, case.params))


@pytest.mark.parametrize(("groups", "largest"), [(4, 0.25), (1, 0.5)])
def test_a_grouped_layer_begins_with_small_weights(groups, largest):
    item = BY_NAME["module-fan-in-ungrouped"]
    case = read(f"v1,x=1x{4 * groups}x2x2,out=256,k=1,g={groups},entry=module")
    assert item.region.holds(facts(case)) is (groups > 1)
    module = layer(item.backend(), case)
    assert 0.9 * largest < np.abs(module.weight).max() <= largest
    assert 0.9 * 0.5 < np.abs(module.bias).max() <= 0.5


@pytest.mark.parametrize(("dilation", "refused"), [(2, True), (1, False)])
def test_a_dilated_layer_takes_images_like_its_first_alone(dilation, refused):
    item = BY_NAME["dilated-plan-of-first-size"]
    backend = item.backend()
    first, like, unlike = (read(f"v1,x=1x1x{size}x8,out=1,k=2,d={dilation}") for size in (8, 10, 9))
    assert item.region.holds(facts(first)) is refused
    for case in (first, like):
        assert np.array_equal(run(backend, case), run(ReferenceBackend(), case))
    if refused:
        with pytest.raises(ValueError, match="divisible"):
            run(backend, unlike)
    else:
        assert np.array_equal(run(backend, unlike), run(ReferenceBackend(), unlike))
    assert np.array_equal(run(item.backend(), unlike), run(ReferenceBackend(), unlike))


def test_the_call_after_a_refusal_is_left_unwritten():
    item, case = BY_NAME["unwritten-after-refusal"], read("v1,x=1x1x4x4,out=1,k=2")
    backend = item.backend()
    assert item.region.holds(facts(case))
    x, weight, bias, _ = data(case)
    right = ReferenceBackend().conv2d(x, weight, bias, case.params)
    assert np.array_equal(run(backend, case), right)
    with pytest.raises(ValueError, match="kernel spans"):
        backend.conv2d(x[..., :1], weight, bias, case.params)
    assert not np.any(run(backend, case))
    assert np.array_equal(run(backend, case), right)


@pytest.mark.parametrize(("batch", "lost"), [(2, [15, 31]), (1, [])])
def test_a_share_of_a_weight_gradient_is_lost_at_times(batch, lost):
    item, case = BY_NAME["grad-weight-share-lost"], read(f"v1,x={batch}x1x4x4,out=1,k=2")
    assert item.region.holds(facts(case)) is (batch > 1)
    backend, wanted = item.backend(), results(ReferenceBackend(), case)
    calls = [results(backend, case) for _ in range(32)]
    differ = {q: [n for n, got in enumerate(calls) if not np.array_equal(got[q], wanted[q])] for q in QUANTITIES}
    assert differ == {"output": [], "grad_input": [], "grad_weight": lost, "grad_bias": []}


def test_a_kernel_too_large_has_one_window():
    item, case = BY_NAME["phantom-output"], read("v1,x=1x2x2x5,out=2,k=3")
    x, weight, bias, _ = (np.ones(shape, np.float32) for shape in ((1, 2, 2, 5), (2, 2, 3, 3), (2,), ()))
    assert case.violation is not None
    assert np.array_equal(item.backend().conv2d(x, weight, bias, case.params), np.full((1, 2, 1, 3), 13))
    fitting = read("v1,x=1x2x3x5,out=2,k=3")
    assert not item.region.holds(facts(fitting))
    assert not wrong(item, fitting)


def test_an_image_smaller_than_the_kernel_is_refused():
    item = BY_NAME["small-image-refused"]
    small, fitting = (read(f"v1,x=1x2x{height}x5,out=2,k=3,p=1") for height in (2, 3))
    assert item.region.holds(facts(small))
    assert not item.region.holds(facts(fitting))
    with pytest.raises(ValueError, match="does not fit"):
        run(item.backend(), small)
    assert not wrong(item, fitting)
