"""Every defect shows somewhere in its region, and equals the reference everywhere else."""

from functools import cache

import numpy as np
import pytest

from convcheck.defects import (
    DEFECTS,
    Category,
    UnknownDefectError,
    defect,
    partial_gradients,
    state_keys,
    state_wear,
)
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_case
from convcheck.model.calls import Returned
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, Status
from convcheck.oracles.support.trial import INTEGERS, Trial
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck.plugin.registry import load

CAPABILITIES = DEFECTS[0].backend().capabilities
IN_PROCESS = [item for item in DEFECTS if not item.fatal]
SEQUENCES = {
    "result-buffer-reused",
    "plan-kept-by-shape",
    "stale-border",
    "result-kept-by-address",
    "every-hundredth-call",
    *(item.name for item in state_keys.DEFECTS),
    *(item.name for item in state_wear.DEFECTS),
}
CRAFTED = {"kernel-that-looks-symmetric", "zero-first-image", "images-that-look-alike", "bias-that-begins-with-zero"}
PARTIAL = {item.name for item in partial_gradients.DEFECTS}

SIZES = {
    "columns-in-ten-bits": "v1,x=1x1x1x1030,out=1,k=1",
    "rows-of-one-band": "v1,x=1x1x603x1,out=1,k=1",
    "images-of-one-grid": "v1,x=1003x1x1x1,out=1,k=1",
    "images-read-again": "v1,x=304x1x1x2,out=1,k=1",
    "filters-of-one-grid": "v1,x=1x1x1x2,out=705,k=1",
    "bias-in-nine-bits": "v1,x=1x1x1x1,out=520,k=1",
    "channels-of-a-buffer": "v1,x=1x390x1x2,out=2,k=1",
    "filters-of-groups-in-a-table": "v1,x=1x100x1x2,out=100,k=1,g=100",
    "groups-in-a-byte": "v1,x=1x260x1x2,out=260,k=1,g=260",
    "taps-of-a-buffer": "v1,x=1x1x11x11,out=2,k=11",
    "kernel-rows-unrolled": "v1,x=1x1x13x2,out=1,k=13x1",
    "kernel-columns-unrolled": "v1,x=1x1x2x23,out=1,k=1x22",
    "wide-strides-short": "v1,x=1x1x1x30,out=1,k=1,s=1x14",
    "high-strides-short": "v1,x=1x1x50x2,out=1,k=1,s=24x1",
    "padding-in-five-bits": "v1,x=1x1x5x2,out=1,k=3x1,p=33x0",
    "dilation-in-four-bits": "v1,x=1x1x1x40,out=1,k=1x2,d=1x18",
    "kernel-beyond-a-cache": "v1,x=1x1x412x1,out=1,k=3x1,d=205x1",
    "sums-of-one-block": "v1,x=1x3010x1x2,out=1,k=1",
    "pixels-of-one-launch": "v1,x=1x1x71x71,out=1,k=1",
    "image-in-14-bits": "v1,x=1x1x129x128,out=1,k=1",
    "input-of-one-copy": "v1,x=1x1x317x317,out=1,k=1",
    "weights-of-one-copy": "v1,x=1x250x1x1,out=210,k=1",
    "output-of-one-store": "v1,x=1x1x142x143,out=10,k=1",
    "columns-of-one-workspace": "v1,x=1x5x100x100,out=1,k=3",
    "deep-images-short-of-a-channel": "v1,x=1x50x13x13,out=1,k=1",
    "deep-batches-short-of-an-image": "v1,x=13x41x1x2,out=1,k=1",
    "filter-tail-of-many-pixels": "v1,x=1x1x6x6,out=100,k=1",
    "channel-tail-of-many-filters": "v1,x=1x100x1x2,out=98,k=1",
    "work-of-one-queue": "v1,x=1x100x60x60,out=40,k=1",
    "grad-input-of-many-groups": "v1,x=1x44x1x3,out=22,k=1,g=22",
    "grad-input-of-wide-images": "v1,x=1x1x1x710,out=1,k=1",
    "grad-weight-of-many-images": "v1,x=95x1x1x2,out=1,k=1",
    "grad-weight-of-many-pixels": "v1,x=1x1x56x56,out=1,k=1",
    "grad-bias-of-many-filters": "v1,x=1x1x1x2,out=460,k=1",
}


WITNESSES = {
    "atrous-three-by-three": "v1,x=1x8x9x9,out=2,k=3,d=2",
    "axes-exchanged": "v1,x=1x2x5x5,out=3,k=3",
    "batched-grouped-tail": "v1,x=2x2x4x4,out=10,k=2,g=2",
    "bias-per-column": "v1,x=1x2x5x5,out=3,k=3",
    "channel-block-overwrites": "v1,x=1x32x5x5,out=2,k=3",
    "circular-dilated-grouped": "v1,x=1x4x6x6,out=4,k=3,p=2,d=2,g=2,mode=circular",
    "circular-off-by-one": "v1,x=2x3x5x5,out=3,k=3,p=1,mode=circular",
    "column-tail-shifted": "v1,x=1x2x3x21,out=3,k=2",
    "depthwise-24-stride-2": "v1,x=1x24x9x9,out=24,k=3,s=2,p=1,g=24",
    "even-same-refused": "v1,x=1x2x5x5,out=2,k=2,p=same",
    "filter-tail-of-sixteen": "v1,x=1x2x4x4,out=17,k=2",
    "first-call-wrong": "v1,x=1x2x5x5,out=2,k=2",
    "reversed-input": "v1,x=1x2x5x5,out=2,k=2,layout-x=reversed",
    "grad-input-circular-dropped": "v1,x=2x3x5x5,out=3,k=3,p=1,mode=circular",
    "grad-input-same-padding": "v1,x=1x2x5x5,out=2,k=2,p=same",
    "grad-weight-grouped-rectangular": "v1,x=2x4x12x9,out=4,k=3,s=2x1,d=2,g=2",
    "half-wide-one-by-one": "v1,x=1x2x4x4,out=32,k=1,dtype=float16",
    "images-beyond-sixteen": "v1,x=18x1x4x4,out=2,k=3",
    "large-to-inf": "v1,x=1x2x5x5,out=2,k=2,values=overflow",
    "mean-of-long-sums": "v1,x=1x32x5x5,out=2,k=3",
    "one-by-one-padded-strided": "v1,x=1x2x6x6,out=2,k=1,s=2,p=1",
    "one-by-one-transposed": "v1,x=2x3x4x4,out=3,k=1",
    "padding-of-stride-one": "v1,x=1x2x6x6,out=2,k=3,s=2,p=2,mode=circular",
    "reflect-strided-odd": "v1,x=1x2x7x7,out=2,k=3,s=2,p=1,mode=reflect",
    "replicate-even-biased": "v1,x=2x2x5x5,out=2,k=2,p=1,mode=replicate",
    "row-33": "v1,x=1x1x36x3,out=1,k=2",
    "same-even-dilated": "v1,x=1x2x6x6,out=2,k=2,d=2,p=same",
    **SIZES,
    "small-results-skipped": "v1,x=1x1x3x3,out=1,k=1,bias=false,values=subnormal",
    "three-channels-as-four": "v1,x=1x3x7x7,out=8,k=3",
    "unbatched-grouped-no-bias": "v1,x=4x5x5,out=4,k=3,g=2,bias=false",
    "winograd-last-of-four": "v1,x=1x2x4x5,out=2,k=3",
    "winograd-odd-width": "v1,x=1x2x5x5,out=2,k=3",
    "workspace-of-first-call": "v1,x=1x1x5x5,out=1,k=2 v1,x=2x1x32x32,out=1,k=2",
    "zero-weights-skipped": "v1,x=4x4x6x6,out=6,k=4,values=special,seed=0 v1,x=4x4x6x6,out=6,k=4,values=special,seed=1 v1,x=4x4x6x6,out=6,k=4,values=special,seed=2 v1,x=4x4x6x6,out=6,k=4,values=special,seed=3 v1,x=4x4x6x6,out=6,k=4,values=special,seed=4 v1,x=4x4x6x6,out=6,k=4,values=special,seed=5 v1,x=4x4x6x6,out=6,k=4,values=special,seed=6 v1,x=4x4x6x6,out=6,k=4,values=special,seed=7",
}
"""What the small cases of the pool do not hold."""


@cache
def pool():
    """Small legal cases: cheap, and of every kind."""
    drawn = generate(CAPABILITIES, run_seed=5, block=0, size=1000)
    legal = [c for c in drawn if c.violation is None and c.entry == "function"]
    return tuple(c for c in legal if c.params.multiply_adds(c.input_shape) <= 8_000)


@cache
def expected(case):
    host = InProcessCandidate(ReferenceBackend)
    return {name: host.call(call) for name, call in Trial(case, CAPABILITIES).calls.items()}


def same(got, wanted, *, exact):
    """Equal bit for bit; or, where sums may be formed in another order, to three digits of the largest."""
    if not isinstance(got, Returned) or got.malformed or got.mutated:
        return False
    for name, array in wanted.arrays.items():
        other = got.arrays[name]
        if array is None or other is None:
            if other is not array:
                return False
        elif (
            (other.shape, other.dtype) != (array.shape, array.dtype)
            or (exact and not np.array_equal(other, array, equal_nan=True))
            or (not exact and not near(other.astype(np.float64), array.astype(np.float64)))
        ):
            return False
    return True


def near(other, array):
    largest = np.abs(array[np.isfinite(array)]).max(initial=0.0)
    return np.allclose(other, array, rtol=1e-3, atol=1e-3 * largest, equal_nan=True)


def differs(host, case, *, exact=True):
    """Whether some call of the case gives something else than the reference."""
    outcomes = {key: host.call(call) for key, call in Trial(case, CAPABILITIES).calls.items()}
    return any(
        not same(outcomes[key], wanted, exact=exact or key.name.startswith(INTEGERS))
        for key, wanted in expected(case).items()
    )


def test_there_are_enough_of_every_category():
    assert len(DEFECTS) >= 90
    assert {item.category for item in DEFECTS} == set(Category)
    assert len({item.name for item in DEFECTS}) == len(DEFECTS)
    assert len({item.summary for item in DEFECTS}) == len(DEFECTS)


@pytest.mark.parametrize("item", IN_PROCESS, ids=lambda item: item.name)
def test_outside_its_region_it_is_the_reference(item):
    outside = [case for case in pool() if not item.region.holds(facts(case))]
    host = InProcessCandidate(item.backend)
    assert not [case.token for case in outside[:4] if differs(host, case, exact=False)]


@pytest.mark.parametrize("item", IN_PROCESS, ids=lambda item: item.name)
def test_inside_its_region_it_shows(item):
    if item.region.text == "False" or "module" in item.region.text:
        pytest.skip("shows on illegal cases, or on modules: test_contract")
    if item.name in SEQUENCES | CRAFTED | PARTIAL:
        pytest.skip("shows on other calls, or on data of its own: test_state, test_cheats, test_partial_gradients")
    named = tuple(read(token) for token in WITNESSES.get(item.name, "").split())
    inside = [case for case in named + pool() if item.region.holds(facts(case)) or case in named]
    host = InProcessCandidate(item.backend)
    assert any(differs(host, case) for case in inside)


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("groups-round-down", "v1,x=1x5x4x4,out=4,k=2,g=2"),
        ("negative-padding-as-zero", "v1,x=1x2x4x4,out=2,k=2,p=-1x0"),
        ("zero-stride-as-one", "v1,x=1x2x4x4,out=2,k=2,s=0x1"),
        ("zero-dilation-as-one", "v1,x=1x2x4x4,out=2,k=2,d=0"),
        ("same-with-stride-accepted", "v1,x=1x2x4x4,out=2,k=2,s=2,p=same"),
        ("mixed-dtypes-accepted", "v1,x=1x2x4x4,out=2,k=2,flaw=weight_dtype"),
        ("extra-channels-accepted", "v1,x=1x2x4x4,out=2,k=2,flaw=input_channels"),
    ],
)
def test_a_lenient_defect_accepts_what_is_illegal(name, token):
    verdicts, _, _ = judge_case(InProcessCandidate(defect(name).backend), read(token))
    assert [v.status for v in verdicts] == [Status.WRONGLY_ACCEPTED]


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("module-fan-out", "v1,x=1x8x4x4,out=2,k=3,entry=module"),
        ("module-zero-bias", "v1,x=1x2x4x4,out=64,k=3,entry=module"),
        ("module-forgets-mode", "v1,x=1x2x4x4,out=2,k=3,p=1,mode=circular,entry=module"),
    ],
)
def test_a_module_defect_shows_on_modules(name, token):
    item = defect(name)
    assert item.region.holds(facts(read(token)))
    verdicts, _, _ = judge_case(InProcessCandidate(item.backend), read(token))
    assert any(v.status in FAILURES for v in verdicts)


def test_a_defect_is_a_backend_on_the_command_line():
    backend = load("convcheck.defects:stride-exchanged")
    assert backend.name == "stride-exchanged"
    with pytest.raises(UnknownDefectError, match="did you mean stride-exchanged"):
        defect("stride-exchangd")


def test_backends_are_fresh():
    item = defect("first-call-wrong")
    assert all(differs(InProcessCandidate(item.backend), read("v1,x=1x2x5x5,out=2,k=2")) for _ in range(2))
