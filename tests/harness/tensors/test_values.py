import numpy as np
import pytest

from convcheck import REGIMES
from convcheck.model.profiles import QUANTITIES, STRICT
from convcheck.model.token import read
from convcheck.tensors.values import integer_values, real_values


@pytest.mark.parametrize("x", ["0x4x6x5", "1x4x6x5", "5x4x6x5", "4x6x5"])
@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_has_values_for_every_input(regime, x):
    case = read(f"v1,x={x},out=6,k=3,g=2,values={regime}")
    values = real_values(case)
    assert values.x.shape == case.input_shape
    assert values.grad_output.shape == case.output_shape
    assert values.x.dtype == np.float32


def mixed(tensor, seed):
    """The entries of a tensor of mixed data that one is drawn for; an entry is an image, a filter or a gradient."""
    values = real_values(read(f"v1,x=5x3x6x5,out=5,k=3,values=mixed,seed={seed}"))
    return getattr(values, tensor)


@pytest.mark.parametrize("tensor", ["x", "weight", "grad_output"])
def test_mixed_data_have_entries_of_four_kinds_in_one_tensor(tensor):
    nonzeros = {seed: tuple(np.count_nonzero(entry) for entry in mixed(tensor, seed)) for seed in range(200)}
    size = mixed(tensor, 0)[0].size
    turns = {counts for counts in nonzeros.values() if len(set(counts)) > 1}
    whole, zero, impulse = size, 0, 1
    kinds = (whole, zero, whole, impulse)
    assert turns == {tuple(kinds[(turn + at) % 4] for at in range(5)) for turn in range(4)}
    seed = next(seed for seed, counts in nonzeros.items() if counts[:2] == (whole, zero))
    spans = [np.ptp(np.log2(np.abs(entry))) for entry in mixed(tensor, seed)[[0, 2]]]
    assert spans[1] > 14


def test_any_bias_of_mixed_data_may_be_zero():
    first = {real_values(read(f"v1,x=2x3x6x5,out=5,k=3,values=mixed,seed={seed}")).bias[0] == 0 for seed in range(200)}
    assert first == {True, False}


def test_some_weights_and_gradients_of_mixed_data_are_all_zeros():
    drawn = [real_values(read(f"v1,x=2x3x6x5,out=2,k=3,values=mixed,seed={seed}")) for seed in range(60)]
    for name in ("weight", "grad_output"):
        zeros = sum(not getattr(values, name).any() for values in drawn)
        assert 1 <= zeros <= 12
    assert all(values.x.any() for values in drawn)


def test_a_single_image_of_mixed_data_is_dense():
    for seed in range(20):
        assert np.count_nonzero(real_values(read(f"v1,x=1x3x6x5,out=2,k=3,values=mixed,seed={seed}")).x) == 90


def test_every_regime_and_the_integers_draw_from_streams_of_their_own():
    # reals in the first image of both: the same distribution, other numbers
    drawn = [real_values(read(f"v1,x=1x3x6x5,out=2,k=3,values={regime}")).weight for regime in ("reals", "mixed")]
    assert not np.array_equal(*drawn)


def test_integers_do_not_depend_on_the_regime():
    profiles = dict.fromkeys(QUANTITIES, STRICT["float32"])
    drawn = [integer_values(read(f"v1,x=1x3x6x5,out=2,k=3,values={r}"), profiles).x for r in REGIMES]
    assert all(np.array_equal(drawn[0], other) for other in drawn)


@pytest.mark.parametrize("dtype", ["float32", "float16", "complex64"])
def test_tensors_of_their_own_seeds_keep_their_contents_whatever_else_changes(dtype):
    def drawn(token, *seeds):
        return integer_values(read(f"{token},dtype={dtype}"), dict.fromkeys(QUANTITIES, STRICT[dtype]), seeds)

    base = drawn("v1,x=1x2x5x6,out=3,k=2", 1, 2, 3, 4)
    strided = drawn("v1,x=1x2x9x9,out=3,k=2,s=2,seed=8", 1, 2, 3, 4)
    assert np.array_equal(base.weight, strided.weight)
    assert np.array_equal(base.bias, strided.bias)
    without = drawn("v1,x=1x2x5x6,out=3,k=2,bias=false", 1, 2, 3, 4)
    other = drawn("v1,x=1x2x5x6,out=3,k=2", 1, 7, 3, 4)
    for name in ("x", "weight", "grad_output"):
        assert np.array_equal(getattr(base, name), getattr(without, name))
        assert np.array_equal(getattr(base, name), getattr(other, name)) is (name != "weight")
    assert max(np.abs(a.real).max() for a in (base.x, base.weight, base.bias, base.grad_output)) <= 9
