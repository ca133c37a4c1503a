import itertools

import numpy as np
import pytest

from altered import failing, verdicts
from convcheck import Capabilities, Status
from convcheck.evaluation.fast_algorithms import fft_weights, winograd_weights
from convcheck.evaluation.variants import variant
from convcheck.model.profiles import FFT, FP32_STRICT, QUANTITIES, WINOGRAD_F2, WINOGRAD_F4, WINOGRAD_F6, Algorithm
from convcheck.model.token import read
from convcheck.numerics import gauges
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.numerics.toom_cook import transforms
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams, conv2d_grad_weight
from imprecise import winograd_kernel

NAMES = ("winograd-f2", "winograd-f4", "winograd-f6", "fft")
PROFILES = (WINOGRAD_F2, WINOGRAD_F4, WINOGRAD_F6, FFT)
REGIMES = ("reals", "wide", "positive", "cancelling", "large", "overflow", "subnormal")
LAYERS = (
    "v1,x=2x1x9x12,out=3,k=3,p=1",
    "v1,x=1x16x7x8,out=2,k=3,p=1,mode=reflect,g=2",
    "v1,x=2x64x8x5,out=2,k=3,bias=false",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_every_regime_stays_within_the_bound_of_the_algorithm(name, dtype):
    for layer, regime in itertools.product(LAYERS, REGIMES):
        token = f"{layer},dtype={dtype},values={regime}"
        assert not failing(
            variant(name).backend(), token, only=("exact", "bounded", "gradients-exact", "gradients-bounded")
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_of_direct_sums_does_not_hold_for_it(name):
    backend = variant(name).backend()
    backend.capabilities = Capabilities(gradients=True)
    found = {f for seed in range(4) for f in failing(backend, f"{LAYERS[0]},values=wide,seed={seed}")}
    assert ("bounded", "output", Status.FAIL) in found


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
@pytest.mark.parametrize("layer", LAYERS[:2])
def test_one_wrong_tap_fails_under_a_fast_profile(profile, layer):
    class OneTapLost(NumpyBackend):
        capabilities = Capabilities(profiles={"float32": profile})

        def conv2d(self, x, weight, bias, params):
            weight = weight.copy()
            weight[-1, -1, -1, -1] = 0
            return super().conv2d(x, weight, bias, params)

    assert ("exact", "output", Status.FAIL) in failing(OneTapLost(), layer, only=("exact",))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_integers_are_known_from_the_result_nearly_everywhere(profile):
    for layer in LAYERS[:2]:
        trial = Trial(read(layer), Capabilities(profiles={"float32": profile}))
        found = trial.expected_integers.integer_tolerance("output", profile)
        assert np.isfinite(found).mean() > 0.9
        assert set(np.unique(found[np.isfinite(found)])) == {0.0 if profile is WINOGRAD_F2 else np.nextafter(0.5, 0)}


def test_a_result_nearer_to_another_integer_fails():
    trial = Trial(read(LAYERS[0]), Capabilities(profiles={"float32": WINOGRAD_F4}))
    right = trial.expected_integers.sum("output").value
    near, far = (
        compare_integers((right + by).astype(np.float32), trial.expected_integers, "output", WINOGRAD_F4)
        for by in (0.25, 0.5)
    )
    assert near.status is Status.PASS
    assert far.status is Status.FAIL


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_the_amplification_bounds_what_the_transforms_sum(tile):
    rng = np.random.default_rng(tile)
    a, g, b = (np.abs(m) for m in (transforms(tile).output, transforms(tile).kernel, transforms(tile).data))
    for _ in range(50):
        data, taps = rng.uniform(0, 1, (tile + 2, tile + 2)), rng.uniform(0, 1, (3, 3))
        assert (a @ ((g @ taps @ g.T) * (b @ data @ b.T)) @ a.T).max() <= transforms(tile).amplification
        outer = rng.uniform(0, 1, (tile, tile))
        weights = g.T @ ((a.T @ outer @ a) * (b @ data @ b.T)) @ g
        assert weights.max() <= transforms(tile).for_weights.amplification
    ones = a @ ((g @ np.ones((3, 3)) @ g.T) * (b @ np.ones((tile + 2, tile + 2)) @ b.T)) @ a.T
    assert ones.max() == pytest.approx(transforms(tile).amplification)
    weights = g.T @ ((a.T @ np.ones((tile, tile)) @ a) * (b @ np.ones((tile + 2, tile + 2)) @ b.T)) @ g
    assert weights.max() == pytest.approx(transforms(tile).for_weights.amplification)


@pytest.mark.parametrize("tile", [2, 4, 6])
@pytest.mark.parametrize("quantity", ["output", "grad_input"])
def test_the_tile_gauge_is_at_least_that_of_every_alignment(tile, quantity):
    algorithm = {2: Algorithm.WINOGRAD_F2, 4: Algorithm.WINOGRAD_F4, 6: Algorithm.WINOGRAD_F6}[tile]
    params = Conv2dParams(2, 3, 3, padding=1)
    rng = np.random.default_rng(tile)
    x, weight, grad = (rng.uniform(0, 1, shape) for shape in ((1, 2, 9, 11), params.weight_shape, (1, 3, 9, 11)))
    found = gauges.gauge(algorithm, quantity, params, x, weight, grad)
    source, taps = (x, weight.max(axis=(2, 3))) if quantity == "output" else (grad, weight.max(axis=(2, 3)).T)
    padded = np.pad(source, ((0, 0), (0, 0), (tile + 1, tile + 3), (tile + 1, tile + 3)))
    assert found.shape == (x if quantity == "grad_input" else grad).shape
    for i, j, di, dj in itertools.product(range(9), range(11), range(tile), range(tile)):
        # the tile that holds the output (i, j) at the place (di, dj), padding of one included
        top, left = i - di - 1 + tile + 1, j - dj - 1 + tile + 1
        patch = padded[0, :, top : top + tile + 2, left : left + tile + 2].max(axis=(1, 2))
        assert (found[0, :, i, j] >= taps @ patch - 1e-12).all()


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_the_gauge_of_weight_gradients_is_at_least_that_of_every_grid(tile):
    algorithm = {2: Algorithm.WINOGRAD_F2, 4: Algorithm.WINOGRAD_F4, 6: Algorithm.WINOGRAD_F6}[tile]
    params = Conv2dParams(4, 6, 3, padding=1, groups=2)
    rng = np.random.default_rng(tile)
    x, weight, grad = (rng.uniform(0, 1, shape) for shape in ((2, 4, 7, 9), params.weight_shape, (2, 6, 7, 9)))
    found = gauges.gauge(algorithm, "grad_weight", params, x, weight, grad)
    assert found.shape == weight.shape
    most = np.zeros((6, 2))
    for above, left in itertools.product(range(tile), repeat=2):
        # a grid whose first tile begins so many pixels before the first gradient
        wide = np.pad(grad, ((0, 0), (0, 0), (above, tile), (left, tile)))
        pixels = np.pad(x, ((0, 0), (0, 0), (above + 1, tile + 3), (left + 1, tile + 3)))
        total = np.zeros((6, 2))
        for i, j in itertools.product(range(0, above + 7, tile), range(0, left + 9, tile)):
            largest = wide[..., i : i + tile, j : j + tile].max(axis=(2, 3))
            patches = pixels[..., i : i + tile + 2, j : j + tile + 2].max(axis=(2, 3))
            total[:3] += largest[:, :3].T @ patches[:, :2]
            total[3:] += largest[:, 3:].T @ patches[:, 2:]
        most = np.maximum(most, total)
    assert np.allclose(found, most[..., None, None])


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_weight_gradients_by_winograd_are_those_of_the_reference(tile):
    rng = np.random.default_rng(tile)
    for mode, size in itertools.product(("zeros", "circular"), ((9, 7), (3, 3), (6, 12))):
        params = Conv2dParams(4, 6, 3, padding=1, groups=2, padding_mode=mode)
        x, grad = rng.standard_normal((3, 4, *size)), rng.standard_normal((3, 6, *size))
        got = winograd_weights(grad, x, params, tile)
        assert np.allclose(got, conv2d_grad_weight(grad, x, params), atol=1e-9)


def test_weight_gradients_through_fourier_transforms_are_those_of_the_reference():
    rng = np.random.default_rng(0)
    for stride, dilation in itertools.product(((1, 1), (2, 3)), repeat=2):
        params = Conv2dParams(4, 6, (3, 2), stride, (1, 2), dilation, groups=2)
        x = rng.standard_normal((3, 4, 12, 9))
        grad = rng.standard_normal(params.output_shape(x.shape))
        assert np.allclose(fft_weights(grad, x, params), conv2d_grad_weight(grad, x, params), atol=1e-9)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_a_wrong_weight_gradient_fails_under_a_fast_profile(profile):
    class RowLost(NumpyBackend):
        capabilities = Capabilities(gradients=True, profiles={"float32": profile})

        def conv2d_backward(self, grad_output, x, weight, bias, params):
            grad_output = grad_output.copy()
            grad_output[..., -1, :] = 0
            return super().conv2d_backward(grad_output, x, weight, bias, params)

    assert ("gradients-bounded", "grad_weight", Status.FAIL) in failing(
        RowLost(), LAYERS[0], only=("gradients-bounded",)
    )


def test_winograd_covers_no_other_kernel():
    assert gauges.in_use(WINOGRAD_F4, "output", Conv2dParams(2, 2, (3, 2))) is Algorithm.DIRECT
    trial = Trial(read(LAYERS[0]), Capabilities(gradients=True, profiles={"float32": WINOGRAD_F4}))
    assert all(trial.expected_reals.unbounded(quantity, WINOGRAD_F4) == "" for quantity in QUANTITIES)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_what_is_not_finite_may_spread(profile):
    backend = NumpyBackend()
    backend.capabilities = Capabilities(gradients=True, profiles={"float32": profile})
    found = {
        v.status
        for v in verdicts(backend, f"{LAYERS[0]},values=special", only=("special", "taint"))
        if v.quantity == "output"
    }
    assert found == {Status.NOT_APPLICABLE}
    elsewhere = verdicts(backend, "v1,x=1x2x6x6,out=2,k=2,values=special", only=("special",))
    assert {v.status for v in elsewhere} == {Status.NOT_APPLICABLE if profile is FFT else Status.PASS}


def test_a_strict_profile_keeps_its_bound():
    params = Conv2dParams(2, 2, 3)
    assert gauges.in_use(FP32_STRICT, "output", params) is Algorithm.DIRECT
    assert gauges.integer_room(FP32_STRICT, "output", params, (1, 2, 8, 8)) == np.inf


CEILINGS = (
    ((1, 1, 3, 3), Conv2dParams(1, 3, 3)),  # one window: each pixel is read once
    ((2, 4, 5, 6), Conv2dParams(4, 6, 3, padding=1, groups=2)),
    ((1, 2, 4, 4), Conv2dParams(2, 3, 3, padding=2, padding_mode="circular")),
    ((1, 2, 3, 5), Conv2dParams(2, 2, 3, padding=1, padding_mode="replicate")),
    ((2, 2, 7, 6), Conv2dParams(2, 4, (3, 2), stride=(2, 3))),
)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
@pytest.mark.parametrize(("shape", "params"), CEILINGS)
@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight"])
def test_no_gauge_is_above_its_ceiling(profile, shape, params, quantity):
    algorithm = gauges.in_use(profile, quantity, params)
    if algorithm is Algorithm.DIRECT:
        return
    ceiling = gauges.law(profile, quantity, params, shape).ceiling
    if ceiling is None:
        return
    ones = (np.ones(s) for s in (shape, params.weight_shape, params.output_shape(shape)))
    largest = gauges.gauge(algorithm, quantity, params, *ones).max()
    assert largest <= ceiling * reduction_lengths(params, shape)[quantity] * (1 + 1e-12)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_integers_give_gradients_away_where_each_pixel_is_read_once(profile):
    trial = Trial(read("v1,x=1x1x3x3,out=3,k=3"), Capabilities(gradients=True, profiles={"float32": profile}))
    assert np.isfinite(trial.expected_integers.integer_tolerance("grad_input", profile)).all()


@pytest.mark.parametrize("declared", [4, 6])
@pytest.mark.parametrize("tile", [2, 4])
def test_smaller_tiles_than_declared_stay_within_the_bound(declared, tile):
    for layer, regime in itertools.product(LAYERS, ("reals", "wide", "positive", "cancelling")):
        assert not failing(winograd_kernel(declared, tile), f"{layer},values={regime}", only=("bounded",))
