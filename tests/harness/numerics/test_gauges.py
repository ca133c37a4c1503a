import itertools

import numpy as np
import pytest

from altered import failing, verdicts
from convcheck import Capabilities, Status
from convcheck.certify.fast_algorithms import fft
from convcheck.certify.variants import variant
from convcheck.execution import Host
from convcheck.execution.judging import judge_block
from convcheck.numerics import gauges
from convcheck.numerics.toom_cook import transforms
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.trial import Trial
from convcheck.profiles import FFT, FP32_STRICT, WINOGRAD_F2, WINOGRAD_F4, WINOGRAD_F6, Algorithm
from convcheck.strategies import generate
from convcheck.token import read
from convcheck_backends import NumpyBackend
from convcheck_reference import Conv2dParams

NAMES = ("winograd-f2", "winograd-f4", "winograd-f6", "fft")
PROFILES = (WINOGRAD_F2, WINOGRAD_F4, WINOGRAD_F6, FFT)
REGIMES = ("reals", "wide", "positive", "cancelling", "large", "overflow", "subnormal")
LAYERS = (
    "v1,x=2x1x9x12,out=3,k=3,p=1",
    "v1,x=1x16x7x8,out=2,k=3,p=1,mode=reflect,g=2",
    "v1,x=2x64x8x5,out=2,k=3,bias=false",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_fast_algorithm_raises_no_alarm(name):
    host = Host(variant(name).backend)
    assert not judge_block(host, generate(host.capabilities, run_seed=1, block=0, size=25), 0).failures


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_every_regime_stays_within_the_bound_of_the_algorithm(name, dtype):
    for layer, regime, seed in itertools.product(LAYERS, REGIMES, range(3)):
        token = f"{layer},dtype={dtype},values={regime},seed={seed}"
        assert not failing(variant(name).backend(), token, only=("exact", "bounded", "gradients"))


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
    ones = a @ ((g @ np.ones((3, 3)) @ g.T) * (b @ np.ones((tile + 2, tile + 2)) @ b.T)) @ a.T
    assert ones.max() == pytest.approx(transforms(tile).amplification)


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


def test_weight_gradients_through_fourier_transforms_stay_within_their_bound():
    for seed in range(20):
        trial = Trial(read(f"v1,x=3x2x9x7,out=4,k=3x2,p=1,seed={seed}"), Capabilities(profiles={"float32": FFT}))
        values = trial.reals
        swapped = Conv2dParams(3, 4, values.grad_output.shape[-2:], padding=1)
        got = fft(values.x.swapaxes(0, 1), values.grad_output.swapaxes(0, 1), swapped).swapaxes(0, 1)
        bound = trial.expected_reals.bound("grad_weight", FFT)
        assert (np.abs(got - trial.expected_reals.sum("grad_weight").value) <= bound).all()


def test_winograd_covers_no_weight_gradient_and_no_other_kernel():
    square, tall = Conv2dParams(2, 2, 3), Conv2dParams(2, 2, (3, 2))
    assert gauges.law(WINOGRAD_F4, "grad_weight", square, (1, 2, 8, 8)) is None
    assert gauges.in_use(WINOGRAD_F4, "output", tall) is Algorithm.DIRECT
    trial = Trial(read(LAYERS[0]), Capabilities(gradients=True, profiles={"float32": WINOGRAD_F4}))
    assert "no bound is derived" in trial.expected_reals.unbounded("grad_weight", WINOGRAD_F4)
    assert trial.expected_reals.unbounded("grad_bias", WINOGRAD_F4) == ""


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
