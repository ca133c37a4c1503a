from itertools import pairwise

import pytest

from convcheck import PROFILES, QUANTITIES, Profile
from convcheck.model.profiles import STRICT, Algorithm
from convcheck.numerics.promises import EDGES, MOST_PROPERTIES, promises


@pytest.mark.parametrize("dtype", STRICT)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_lattice_begins_with_the_profile_and_gives_up_more_and_more(dtype, quantity):
    found = list(promises(STRICT[dtype], dtype, quantity))
    assert found[0].profile is STRICT[dtype]
    widest = [p.profile.algorithm is Algorithm.FFT for p in found]
    assert widest == sorted(widest)
    for part in (False, True):
        counts = [len(p.given_up) for p, wide in zip(found, widest, strict=True) if wide is part]
        assert all(a <= b for a, b in pairwise(counts))
        assert not counts or counts[-1] <= MOST_PROPERTIES
    assert len({p.profile for p in found}) == len(found)


def test_what_means_nothing_for_a_dtype_or_quantity_is_not_given_up():
    def words(dtype, quantity):
        return " ".join(p.words for p in promises(STRICT[dtype], dtype, quantity))

    assert "TF32" in words("float32", "output")
    assert "TF32" not in words("float16", "output")
    assert "16-bit accumulator" in words("bfloat16", "grad_weight")
    assert "16-bit accumulator" not in words("float32", "output")
    assert "bias" not in words("float16", "grad_input")
    assert "Winograd" not in words("float32", "grad_bias")
    assert "Fourier" not in words("complex64", "output")


def test_two_properties_of_one_kind_exclude_each_other_and_what_is_given_up_is_so_once():
    flushing = Profile(flushes_subnormals=True)
    found = list(promises(flushing, "float32", "output"))
    assert all(p.profile.flushes_subnormals for p in found)
    assert "subnormals" not in " ".join(p.words for p in found)
    both = [p for p in found if "F(2, 3)" in p.words and "F(4, 3)" in p.words]
    assert not both


def test_edges_keep_the_precision_of_usual_sums():
    for promise in promises(PROFILES["fp16-in-fp32-acc"], "float16", "output", EDGES):
        assert promise.profile.algorithm is Algorithm.DIRECT
        assert promise.profile.accumulator.name == "float32"


def test_a_declaration_is_code_that_makes_the_profile():
    for promise in promises(STRICT["bfloat16"], "bfloat16", "output"):
        made = eval(promise.profile.declaration, {"Profile": Profile})
        assert made.promises_as(promise.profile)
