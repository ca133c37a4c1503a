import numpy as np
import pytest

from convcheck.defects import defect
from convcheck.evaluation.baselines import BASELINES, allclose, correlated, mean_square, mostly_close, plain_random
from convcheck.plugin.reference_backend import ReferenceBackend

BY_NAME = {baseline.name: baseline for baseline in BASELINES}


class ZeroedBorder(ReferenceBackend):
    """The last column of wide outputs stays zero."""

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if output.shape[-1] >= 16:
            output[..., -1] = 0
        return output


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_a_baseline_passes_the_reference(baseline):
    assert baseline.detects(ReferenceBackend(), 12, 0) is None


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_a_baseline_detects_what_is_wrong_everywhere(baseline):
    assert defect("kernel-flipped").backend() is not None
    assert baseline.detects(defect("negatives-cut").backend(), 12, 0) is not None


def test_a_zeroed_border_column_is_missed_by_statistics():
    assert BY_NAME["plain random, 1e-3"].detects(ZeroedBorder(), 30, 0) is not None
    assert BY_NAME["plain random, 7 % may differ"].detects(ZeroedBorder(), 30, 0) is None
    wanted = np.random.default_rng(0).standard_normal((1, 4, 64, 64)).astype(np.float32)
    got = wanted.copy()
    got[..., -1] = 0
    assert correlated(0.985)(got, wanted)
    assert mostly_close(0.07, 1e-3)(got, wanted)
    assert mean_square(1e-3)(got * 0.1, wanted * 0.1)
    assert not allclose(1e-2)(got, wanted)


def test_shapes_have_to_agree():
    a = np.ones((1, 2, 3, 3), np.float32)
    for criterion in (allclose(1e-3), mean_square(1e-3), correlated(0.985), mostly_close(0.07, 1e-3)):
        assert criterion(a, a.copy())
        assert not criterion(a[0], a)


def test_random_samples_are_deterministic_and_at_most_300():
    assert plain_random(20, 3) == plain_random(20, 3) != plain_random(20, 4)
    assert len(plain_random(1000, 0)) == 300
    assert len({s.params.padding_mode for s in plain_random(100, 0)}) == 4
