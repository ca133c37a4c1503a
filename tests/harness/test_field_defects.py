"""Each defect of the sets of the field is wrong on a witness, the smallest or nearly so, and right beside it."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import as_strided

from convcheck.defects import DEFECTS as LIBRARY
from convcheck.model.profiles import QUANTITIES
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck_reference.convolution import conv2d
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams
from unseen_defects import DEFECTS, FIELD, FIELD_LATER, LATER
from unseen_defects.torch_functions import (
    bias_lost_while_recording,
    input_alone,
    second_backward_adds,
    storage_from_its_start,
    weight_with_input,
)

BY_NAME = {item.name: item for item in (*FIELD, *FIELD_LATER)}

SIZES = [
    ("columns-in-a-byte", "v1,x=1x1x1x257,out=1,k=1", "v1,x=1x1x1x256,out=1,k=1"),
    ("planes-beyond-the-grid", "v1,x=256x1x1x1,out=256,k=1", "v1,x=255x1x1x1,out=257,k=1"),
    ("stem-tile-one-column-short", "v1,x=1x3x7x37,out=64,k=7,s=2", "v1,x=1x3x7x35,out=64,k=7,s=2"),
    ("last-tile-short-of-channels", "v1,x=1x64x3x131,out=64,k=3", "v1,x=1x64x3x130,out=64,k=3"),
    ("bias-in-first-strip", "v1,x=1x512x1x1025,out=1,k=1", "v1,x=1x512x1x1024,out=1,k=1"),
    ("taps-of-a-mask", "v1,x=1x1x1x33,out=1,k=1x33", "v1,x=1x1x1x33,out=1,k=1x32"),
    ("tap-offset-in-a-signed-byte", "v1,x=1x1x1x130,out=1,k=1x2,d=1x128", "v1,x=1x1x1x130,out=1,k=1x2,d=1x127"),
    ("stride-in-five-bits", "v1,x=1x1x1x34,out=1,k=1,s=1x33", "v1,x=1x1x1x34,out=1,k=1,s=1x31"),
    ("padding-in-seven-bits", "v1,x=1x1x1x1,out=1,k=1,p=0x128", "v1,x=1x1x1x1,out=1,k=1,p=0x127"),
    ("filters-beyond-two-a-thread", "v1,x=1x1x1x1,out=2049,k=1", "v1,x=1x1x1x1,out=2048,k=1"),
    ("bands-without-halo", "v1,x=1x1x513x1,out=1,k=2x1", "v1,x=1x1x512x1,out=1,k=2x1"),
    ("grad-input-groups-of-a-block", "v1,x=1x130x1x1,out=65,k=1,g=65", "v1,x=1x128x1x1,out=64,k=1,g=64"),
    ("work-shared-out-in-float32", "v1,x=1x512x5x13,out=512,k=1", "v1,x=1x512x8x8,out=512,k=1"),
    ("pixel-in-16-bits", "v1,x=1x1x256x257,out=1,k=1", "v1,x=1x1x256x256,out=1,k=1"),
    ("pointwise-channels-of-a-block", "v1,x=1x1025x1x1,out=1,k=1", "v1,x=1x1025x1x2,out=1,k=1x2"),
    ("column-in-15-bits", "v1,x=1x1x1x32769,out=1,k=1", "v1,x=1x1x1x32768,out=1,k=1"),
    ("tokens-of-whole-tiles", "v1,x=1x3x14x910,out=512,k=14,s=14", "v1,x=1x3x14x896,out=512,k=14,s=14"),
    ("depthwise-weights-of-a-table", "v1,x=1x513x5x5,out=513,k=5,g=513", "v1,x=1x512x5x5,out=512,k=5,g=512"),
    ("outputs-beyond-a-mebi", "v1,x=1x1x1x1025,out=1024,k=1", "v1,x=1x1x1x1024,out=1024,k=1"),
    ("grad-weight-images-of-a-counter", "v1,x=129x1x1x1,out=1,k=1", "v1,x=128x1x1x1,out=1,k=1"),
    ("grad-weight-whole-chunks", "v1,x=1x1x1x16385,out=1,k=1", "v1,x=1x1x1x16383,out=1,k=1"),
    ("long-row-kernel-pitch", "v1,x=1x1x2x10,out=1,k=1x9", "v1,x=1x1x2x10,out=1,k=1x9,p=0x4"),
    ("centre-tap-of-large-rates", "v1,x=1x1x1x25,out=1,k=3,d=24,p=24", "v1,x=1x1x1x25,out=1,k=3,d=23,p=23"),
    ("winograd-tiles-of-a-table", "v1,x=1x32x3x4099,out=1,k=3", "v1,x=1x32x3x4098,out=1,k=3"),
    ("half-tile-of-filters", "v1,x=1x128x1x1,out=320,k=1", "v1,x=1x128x1x1,out=319,k=1"),
    ("line-buffer-of-16-kib", "v1,x=1x1x1x4097,out=1,k=1,s=2", "v1,x=1x1x1x4097,out=1,k=1"),
]
QUANTITY = {name: "_".join(name.split("-")[:2]) if name.startswith("grad-") else "output" for name, *_ in SIZES}

LAYER = Conv2dParams(3, 4, 2)
GAP = 7.0


def embedded(values, shape, where):
    """The values as a view of a larger tensor of other ones."""
    larger = np.full(shape, GAP, values.dtype)
    larger[where] = values
    return larger[where]


def behind_a_pool(values):
    return np.broadcast_to(values[..., :1, :1], values.shape)


def shared(values):
    return as_strided(values, strides=(values.strides[0], 0, *values.strides[2:]))


LAYOUTS = {
    "grad-output-behind-pool": ("grad_output", behind_a_pool, ["grad_input", "grad_weight", "grad_bias"]),
    "channel-slice-end-to-end": (
        "x", lambda x: embedded(x, (2, 5, 4, 5), np.s_[:, :3]), ["output"],
    ),
    "filters-last-as-stored": (
        "weight", lambda w: np.moveaxis(np.ascontiguousarray(np.moveaxis(w, 0, -1)), -1, 0), ["output"],
    ),
    "bias-without-steps": ("bias", lambda b: embedded(b, (8,), np.s_[::2]), ["output"]),
    "columns-without-steps": ("x", lambda x: embedded(x, (2, 3, 8, 10), np.s_[..., ::2, ::2]), ["output"]),
    "pixels-of-own-channels": (
        "x", lambda x: np.moveaxis(embedded(np.moveaxis(x, 1, -1), (2, 4, 5, 6), np.s_[..., :3]), -1, 1), ["output"],
    ),
    "shared-filter-as-stored": ("weight", shared, ["output"]),
}  # fmt: skip


def operands(params, shape, dtype="float32", seed=0):
    """Integers, which every sum of a few thousand products holds exactly in float32."""
    rng = np.random.default_rng(seed)
    shapes = {"x": shape, "weight": params.weight_shape, "bias": params.bias_shape}
    shapes["grad_output"] = params.output_shape(shape)
    return {n: None if s is None else rng.integers(1, 5, s).astype(DTYPES[dtype]) for n, s in shapes.items()}


def results(backend, params, given):
    grad, given = given["grad_output"], {n: a for n, a in given.items() if n != "grad_output"}
    output = backend.conv2d(**given, params=params)
    return dict(zip(QUANTITIES, (output, *backend.conv2d_backward(grad, **given, params=params)), strict=True))


def wrong(item, params, given):
    got, wanted = (results(backend, params, given) for backend in (item.backend(), ReferenceBackend()))
    return [q for q in QUANTITIES if wanted[q] is not None and not np.array_equal(got[q], wanted[q])]


def forward(backend, params, shape, seed=0):
    given = operands(params, shape, seed=seed)
    return backend.conv2d(given["x"], given["weight"], given["bias"], params)


def right(backend, params, shape, seed=0):
    return np.array_equal(forward(backend, params, shape, seed), forward(ReferenceBackend(), params, shape, seed))


def test_there_are_twenty_five_in_each_set_that_no_other_has():
    others = {item.name for item in (*LIBRARY, *DEFECTS, *LATER)}
    assert len(FIELD) == len(FIELD_LATER) == 25
    assert len(BY_NAME) == 50
    assert not set(BY_NAME) & others


@pytest.mark.parametrize(("name", "inside", "outside"), SIZES, ids=[name for name, *_ in SIZES])
def test_it_is_wrong_beyond_a_size_and_right_up_to_it(name, inside, outside):
    item, inside, outside = BY_NAME[name], read(inside), read(outside)
    assert item.region.holds(facts(inside))
    assert not item.region.holds(facts(outside))
    assert wrong(item, inside.params, operands(inside.params, inside.input_shape)) == [QUANTITY[name]]
    assert not wrong(item, outside.params, operands(outside.params, outside.input_shape))


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_is_wrong_for_one_layout_and_right_for_others(name):
    item, (operand, lay_out, expected) = BY_NAME[name], LAYOUTS[name]
    given = operands(LAYER, (2, 3, 4, 5))
    laid_out = lay_out(given[operand])
    assert not wrong(item, LAYER, given)
    assert not wrong(item, LAYER, given | {operand: laid_out.copy(order="C")})
    assert wrong(item, LAYER, given | {operand: laid_out}) == expected


@pytest.mark.parametrize("name", ["split-sums-in-half", "sixteen-products-in-half"])
def test_partial_sums_are_rounded_to_float16(name):
    item, params = BY_NAME[name], Conv2dParams(512, 1, 1, bias=False)
    given = operands(params, (1, 512, 1, 1), dtype="float16")
    assert not wrong(item, params, given)  # no partial sum is beyond 2,048
    x = np.zeros((1, 512, 1, 1), np.float16)
    x[0, :2], x[0, -1] = [[[2048]], [[1]]], -2048  # 2,049 is no float16
    weight = np.ones(params.weight_shape, np.float16)
    assert conv2d(x, weight, None, params) == 1
    assert item.backend().conv2d(x, weight, None, params) == 0


def test_an_image_stands_where_another_padding_put_it():
    backend = BY_NAME["plan-of-padded-size"].backend()
    padded, plain = Conv2dParams(2, 2, 3, padding=1), Conv2dParams(2, 2, 3)
    assert right(backend, plain, (1, 2, 6, 6))
    assert not right(backend, padded, (1, 2, 4, 4))
    assert right(backend, padded, (1, 2, 5, 4))
    assert right(backend, plain, (1, 2, 6, 6), seed=1)


def test_a_border_has_the_mode_of_its_first_layer():
    backend = BY_NAME["border-without-mode"].backend()
    zeros, reflect = (Conv2dParams(2, 2, 3, padding=1, padding_mode=mode) for mode in ("zeros", "reflect"))
    assert right(backend, reflect, (1, 2, 4, 4))
    assert not right(backend, zeros, (1, 2, 4, 4))
    assert right(backend, zeros, (1, 2, 5, 4))


def test_slots_run_out_after_4096_calls():
    backend, params = BY_NAME["slots-not-returned"].backend(), Conv2dParams(1, 1, 1)
    backend._taken = 4095
    assert right(backend, params, (1, 1, 2, 2))
    lost = forward(backend, params, (1, 1, 2, 2))
    assert lost[..., :-1, :].any()
    assert not lost[..., -1:, :].any()


def test_a_plan_is_evicted_by_700_others():
    backend, first = BY_NAME["plans-evicted"].backend(), Conv2dParams(1, 1, 1)
    shapes = [(1, 1, 1, width) for width in range(1, 702)]
    assert all(right(backend, first, shape) for shape in shapes[:-1])
    assert right(backend, first, shapes[0])
    assert right(backend, first, shapes[-1])
    assert not forward(backend, first, shapes[0]).any()
    assert right(backend, first, shapes[1])


def test_a_workspace_holds_the_first_batch():
    backend, params = BY_NAME["workspace-of-first-batch"].backend(), Conv2dParams(1, 1, 2)
    assert right(backend, params, (2, 1, 4, 4))
    assert right(backend, params, (1, 1, 4, 4))
    assert not right(backend, params, (3, 1, 4, 4))


def test_a_race_is_lost_in_one_call_of_five_thousand():
    backend, params, shape = BY_NAME["rare-race"].backend(), Conv2dParams(1, 1, 1), (1, 1, 1, 1)
    data = zlib.crc32(operands(params, shape)["x"].tobytes())
    lost = [n for n in range(1, 100_000) if zlib.crc32(n.to_bytes(8, "little"), data) % 5000 == 0]
    assert 10 < len(lost) < 30
    backend._calls = lost[0] - 2
    assert right(backend, params, shape)
    assert not forward(backend, params, shape).any()
    assert right(backend, params, shape)


def test_what_should_be_refused_is_taken():
    given = operands(LAYER, (2, 3, 4, 5))
    x, weight, bias = given["x"], given["weight"], given["bias"]

    def flawed(**changes):
        return Conv2dParams.unchecked(replace(LAYER.arguments, **changes))

    calls = {
        "short-bias-taken": (x, weight, bias[:1], LAYER),
        "fractional-padding-taken": (x, weight, bias, flawed(padding=(1.5, 1))),
        "five-dimensions-taken": (np.stack([x, x], axis=2), weight, bias, LAYER),
        "true-for-groups-taken": (x, weight, bias, flawed(groups=True)),
    }
    for name, call in calls.items():
        assert not wrong(BY_NAME[name], LAYER, given)
        assert BY_NAME[name].backend().conv2d(*call).shape[:2] == (2, 4)
        with pytest.raises(ConvcheckError):
            ReferenceBackend().conv2d(*call)


def leaves(asked):
    """x, weight and bias, of which those that are asked for want a gradient."""
    given = operands(LAYER, (2, 3, 4, 5))
    return {n: torch.from_numpy(given[n]).requires_grad_(n in asked) for n in ("x", "weight", "bias")}


def gradients(function, asked, *, backwards=1):
    """What autograd gives for those that are asked for, of a layer of stride 2."""
    given = leaves(asked)
    output = function(*given.values(), stride=2)
    for _ in range(backwards):
        got = torch.autograd.grad(output.sum(), [given[n] for n in asked], retain_graph=True)
    return got


def agree(function, asked, **calls):
    wanted = gradients(torch.nn.functional.conv2d, asked)
    return [torch.equal(g, w) for g, w in zip(gradients(function, asked, **calls), wanted, strict=True)]


def test_gradients_hang_on_which_are_asked_for():
    every = ("x", "weight", "bias")
    for function in (weight_with_input, input_alone, second_backward_adds, bias_lost_while_recording):
        assert agree(function, every) == [True] * 3
    assert agree(weight_with_input, ("weight", "bias")) == [False, True]
    assert agree(weight_with_input, ("x",)) == [True]
    assert agree(input_alone, ("x",)) == [False]
    assert agree(input_alone, ("x", "bias")) == [True, True]
    assert agree(second_backward_adds, every, backwards=2) == [True, False, True]


def test_the_bias_is_lost_while_autograd_records():
    wanted = torch.nn.functional.conv2d(*leaves(()).values())
    assert torch.equal(bias_lost_while_recording(*leaves(()).values()), wanted)
    recorded = bias_lost_while_recording(*leaves(("weight",)).values())
    assert torch.equal(recorded + leaves(())["bias"][:, None, None], wanted)
    with torch.no_grad():
        assert torch.equal(bias_lost_while_recording(*leaves(("weight",)).values()), wanted)


def test_a_view_is_read_from_the_start_of_its_storage():
    x, weight, bias = leaves(()).values()
    assert torch.equal(storage_from_its_start(x, weight, bias), torch.nn.functional.conv2d(x, weight, bias))
    assert torch.equal(storage_from_its_start(x[1:], weight, bias), torch.nn.functional.conv2d(x[:1], weight, bias))
