import numpy as np
import pytest

from convcheck.evaluation.variants import VARIANTS, fused, variant
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block, judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED


def test_there_are_enough_of_them():
    assert len({item.name for item in VARIANTS}) == len(VARIANTS) >= 12


@pytest.mark.parametrize("item", VARIANTS, ids=lambda item: item.name)
def test_a_variant_raises_no_alarm(item):
    host = InProcessCandidate(item.backend)
    tally = judge_block(host, generate(host.capabilities, run_seed=3, block=0, size=15), 0)
    assert not tally.failures
    assert sum(n for (_, status, _), n in tally.counts.items() if status in JUDGED) > 50


@pytest.mark.parametrize("item", VARIANTS, ids=lambda item: item.name)
@pytest.mark.parametrize("batch", [0, 16])  # none, and as many as a library begins to transform at
def test_small_and_large_batches(item, batch):
    host = InProcessCandidate(item.backend)
    dtype = host.capabilities.dtypes[0]
    verdicts, _, _ = judge_case(host, read(f"v1,x={batch}x4x6x6,out=6,k=3,g=2,dtype={dtype}"))
    assert not [v for v in verdicts if v.status in FAILURES]


@pytest.mark.parametrize("name", ["sequential", "reverse", "blocked-64", "pairwise", "split-k", "fma"])
def test_the_orders_round_differently(name):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((40, 300), (300, 40)))
    others = [
        item for item in VARIANTS if item.name in ("sequential", "reverse", "blocked-64", "pairwise", "split-k", "fma")
    ]
    results = {item.name: item.backend()._product(a, b) for item in others}
    assert all((results[name] != other).any() for key, other in results.items() if key != name)


def test_fused_rounds_once():
    from fractions import Fraction

    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal(500).astype(np.float32) for _ in range(2))
    for x, y in zip(a, b, strict=True):
        total = fused(np.array([[x, y]]), np.array([[y], [x]]))[0, 0]
        exact = Fraction(float(np.float32(x) * np.float32(y))) + Fraction(float(x)) * Fraction(float(y))
        spacing = Fraction(float(np.spacing(np.abs(total))))
        assert abs(Fraction(float(total)) - exact) <= spacing / 2


def test_a_variant_is_found_by_name():
    assert variant("tf32").backend().name == "tf32"
