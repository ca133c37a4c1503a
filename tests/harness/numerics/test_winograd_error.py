"""What Winograd's transforms may add: at least what each grid of tiles makes of it, and not much more."""

import itertools

import numpy as np
import pytest

from altered import failing
from convcheck import Status
from convcheck.model.profiles import PROFILES
from convcheck.model.token import read
from convcheck.numerics.bounds import LAMBDA
from convcheck.numerics.toom_cook import transforms
from convcheck.numerics.winograd_error import usual_error, winograd_levels, worst_error
from convcheck.oracles.support.expected import Expected
from convcheck.tensors.values import real_values
from convcheck_reference import Conv2dParams
from imprecise import scaled, summed_at_once, summed_in_half, to, winograd, winograd_kernel, with_a_wrong_entry

TILES = (2, 4, 6)
LAYER = "v1,x=2x6x9x10,out=4,k=3,p=1,bias=false"
PARAMS = Conv2dParams(2, 3, 3, padding=1)
ONLY = ("bounded", "gradients-bounded")


def operands(tile, size=(5, 6)):
    rng = np.random.default_rng(tile)
    return (rng.standard_normal(shape) for shape in ((1, 2, *size), (3, 2, 3, 3), (1, 3, *size)))


def of_one_tile(matrices, taps, pixels):
    """The levels of the tile's results, in units of u: (data, taps, sums, back) of σ², worst and entries without u."""
    a, g, b = (np.abs(m) for m in (matrices.output, matrices.kernel, matrices.data))
    left = np.abs(matrices.kernel @ taps @ matrices.kernel.T), g @ np.abs(taps) @ g.T
    right = np.abs(matrices.data @ pixels @ matrices.data.T), b @ np.abs(pixels) @ b.T
    z = [2 * int(np.count_nonzero(m, axis=1).max()) for m in (b, g, a)]

    def back(array, power=1):
        return a**power @ array @ (a**power).T

    of_data, of_taps, products = (
        [back(x * y) for x, y in zip(*pair, strict=True)]
        for pair in ((left[0], right[1]), (left[1], right[0]), (left[0], right[0]))
    )
    summed = back(sum(x * y for x, y in zip(left[0], right[0], strict=True)) ** 2, 2)
    channels = len(of_data)
    return (
        z[0] * sum(q**2 for q in of_data),
        z[1] * sum(q**2 for q in of_taps),
        (channels + 1) * summed,
        z[2] * sum(products) ** 2,
        z[0] * sum(of_data) + z[1] * sum(of_taps) + (z[2] + channels + 1) * sum(products),
    )


@pytest.mark.parametrize("tile", TILES)
def test_the_levels_of_outputs_are_at_least_those_of_every_tile_they_may_lie_in(tile):
    x, weight, grad = operands(tile)
    found = winograd_levels(tile, "output", PARAMS, x, weight, grad)
    padded = np.pad(x, ((0, 0), (0, 0), (tile, 2 * tile), (tile, 2 * tile)))
    most = np.zeros((5, 3, 5, 6))
    for i, j, di, dj in itertools.product(range(5), range(6), range(tile), range(tile)):
        top, left = i - di + tile - 1, j - dj + tile - 1
        pixels = padded[0, :, top : top + tile + 2, left : left + tile + 2]
        for o in range(3):
            levels = of_one_tile(transforms(tile), weight[o], pixels)
            most[:, o, i, j] = np.maximum(most[:, o, i, j], [level[di, dj] for level in levels])
    of_data, of_taps, sums, back, worst = most
    assert (found.data[0] >= of_data * (1 - 1e-12)).all()
    assert (found.taps[0] >= of_taps * (1 - 1e-12)).all()
    assert np.allclose(found.sums[0], sums)
    assert np.allclose(found.back[0], back)
    assert (found.data[0] <= 2 * of_data).all()  # Minkowski's inequality, for two channels
    assert (found.worst[0] >= worst).all()
    assert (found.worst[0] <= (worst + found.entries[0]) * (1 + 1e-12)).all()


@pytest.mark.parametrize("tile", TILES)
def test_the_levels_of_weight_gradients_are_at_least_those_of_every_grid(tile):
    x, weight, grad = operands(tile)
    found = winograd_levels(tile, "grad_weight", PARAMS, x, weight, grad)
    most = np.zeros((5, 3, 2, 3, 3))
    for above, left in itertools.product(range(tile), repeat=2):
        grads = np.pad(grad[0], ((0, 0), (above, 2 * tile), (left, 2 * tile)))
        images = np.pad(x[0], ((0, 0), (above + 1, 2 * tile), (left + 1, 2 * tile)))
        at = [(i, j) for i in range(0, above + 5, tile) for j in range(0, left + 6, tile)]
        for o, c in itertools.product(range(3), range(2)):
            taps = np.array([grads[o, i : i + tile, j : j + tile] for i, j in at])
            pixels = np.array([images[c, i : i + tile + 2, j : j + tile + 2] for i, j in at])
            levels = of_one_tile(transforms(tile).for_weights, taps, pixels)
            most[:, o, c] = np.maximum(most[:, o, c], levels)
    of_data, of_taps, _, back, _ = most
    assert (found.data >= of_data * (1 - 1e-12)).all()
    assert (found.taps >= of_taps * (1 - 1e-12)).all()
    assert np.allclose(found.back, back)
    assert found.worst.shape == weight.shape


@pytest.mark.parametrize("tile", TILES)
def test_the_gradient_of_the_input_is_an_output_of_the_flipped_filters(tile):
    x, weight, grad = operands(tile)
    params = Conv2dParams(2, 3, 3, padding=2)
    grad = np.pad(grad, ((0, 0), (0, 0), (1, 1), (1, 1)))
    found = winograd_levels(tile, "grad_input", params, x, weight, grad)
    flipped = weight.swapaxes(0, 1)[..., ::-1, ::-1]
    same = winograd_levels(tile, "output", Conv2dParams(3, 2, 3), grad, flipped, x)
    assert found.worst.shape == x.shape
    assert np.allclose(found.variance, same.variance)


def test_images_and_groups_are_levels_of_their_own():
    rng = np.random.default_rng(0)
    x, weight, grad = (rng.standard_normal(shape) for shape in ((3, 4, 7, 6), (6, 2, 3, 3), (3, 6, 5, 4)))
    both = winograd_levels(4, "output", Conv2dParams(4, 6, 3, groups=2), x, weight, grad)
    for group in (0, 1):
        alone = winograd_levels(4, "output", Conv2dParams(2, 3, 3), x[1:2, 2 * group : 2 * group + 2],
                                weight[3 * group : 3 * group + 3], grad)  # fmt: skip
        assert np.allclose(both.variance[1, 3 * group : 3 * group + 3], alone.variance[0])


def test_what_is_in_memory_at_once_changes_nothing(monkeypatch):
    x, weight, grad = operands(4, (13, 9))
    whole = winograd_levels(4, "output", PARAMS, x, weight, grad)
    monkeypatch.setattr("convcheck.numerics.winograd_error._AT_ONCE", 5000)
    assert np.allclose(winograd_levels(4, "output", PARAMS, x, weight, grad).worst, whole.worst)


def test_independent_roundings_add_up_less_than_the_worst():
    rng = np.random.default_rng(0)
    x, weight, grad = (rng.standard_normal(shape) for shape in ((1, 128, 4, 4), (1, 128, 3, 3), (1, 1, 4, 4)))
    levels = winograd_levels(4, "output", Conv2dParams(128, 1, 3, padding=1), x, weight, grad)
    nothing, u = np.zeros(levels.worst.shape), 2.0**-24
    assert (worst_error(levels, u, 160, nothing) == u * levels.worst).all()
    usual = usual_error(levels, u, 160, nothing)
    assert (usual < 0.7 * u * levels.worst).all()
    assert np.allclose(usual, u * (LAMBDA * np.sqrt(levels.variance) + levels.entries))
    assert (usual_error(levels, u, 160, nothing + 1e9) > usual).all()


def split_by_channels(kernel, data):
    """Each channel is a sum of its own, as if it were transformed back by itself."""
    return sum(summed_at_once(kernel[:, :, c : c + 1], data[:, :, c : c + 1]) for c in range(kernel.shape[2]))


FACTORS = ((1.0, 3.0, 0.7, 11.0), (5.0, 1.3, 0.1))


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("how", ["as they are", "scaled", "split"])
def test_transforms_of_any_scale_stay_within(tile, how):
    more = {
        "as they are": {},
        "scaled": {"matrices": scaled(tile, FACTORS)},
        "split": {"summed": split_by_channels},
    }[how]
    profile = PROFILES[f"winograd-f{tile}"]
    for regime, seed in itertools.product(("reals", "wide", "positive", "cancelling"), range(4)):
        case = read(f"{LAYER},values={regime},seed={seed}")
        values = real_values(case)
        expected = Expected(case, values)
        error = np.abs(winograd(values.x, values.weight, case.params, tile, **more) - expected.sum("output").value)
        bound = expected.bound("output", profile)
        assert (error <= 0.5 * bound).all()
        assert error.max() > 1e-3 * bound.max()


def channel_by_channel(x, weight, params, tile):
    """Every channel is transformed back, and added in the image."""
    alone = Conv2dParams(1, params.out_channels, 3, padding=params.arguments.padding)
    return sum(winograd(x[:, c : c + 1], weight[:, c : c + 1], alone, tile) for c in range(params.in_channels))


@pytest.mark.parametrize("tile", TILES)
def test_channels_may_be_transformed_back_one_by_one(tile):
    case = read(LAYER.replace("2x6x", "1x48x"))
    values = real_values(case)
    expected = Expected(case, values)
    error = np.abs(channel_by_channel(values.x, values.weight, case.params, tile) - expected.sum("output").value)
    assert (error <= 0.5 * expected.bound("output", PROFILES[f"winograd-f{tile}"])).all()


@pytest.mark.parametrize(("tile", "by"), [(2, 1e-4), (4, 1e-4), (6, 1e-3)])
@pytest.mark.parametrize("which", ["kernel", "data", "output"])
def test_a_wrong_entry_fails(tile, by, which):
    backend = winograd_kernel(tile, matrices=with_a_wrong_entry(tile, which, (1, 1), by))
    token = f"{LAYER},values=wide"
    assert ("bounded", "output", Status.FAIL) in failing(backend, token, ONLY)
    assert not failing(winograd_kernel(tile), token, ONLY)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("fmt", ["tf32", "float16", "bfloat16"])
def test_transformed_values_of_a_coarser_format_fail(tile, fmt):
    found = failing(winograd_kernel(tile, of_operands=to(fmt)), LAYER, ONLY)
    assert {("bounded", "output", Status.FAIL), ("gradients-bounded", "grad_input", Status.FAIL)} <= found


@pytest.mark.parametrize("tile", TILES)
def test_one_column_of_tiles_summed_in_half_fails(tile):
    token = f"{LAYER.replace('2x6x', '2x32x')},values=wide"
    assert ("bounded", "output", Status.FAIL) in failing(winograd_kernel(tile, summed=summed_in_half), token, ONLY)


@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight"])
def test_an_empty_batch_adds_nothing(quantity):
    params = Conv2dParams(4, 6, 3, padding=1, groups=2)
    x, weight, grad = np.zeros((0, 4, 5, 7)), np.ones(params.weight_shape), np.zeros((0, 6, 5, 7))
    levels = winograd_levels(4, quantity, params, x, weight, grad)
    assert levels.worst.shape == {"output": grad.shape, "grad_input": x.shape, "grad_weight": weight.shape}[quantity]
    assert not levels.worst.any()
    assert not levels.variance.any()
