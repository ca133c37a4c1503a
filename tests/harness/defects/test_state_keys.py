"""Defects of keys and of many calls: right where a call is the only one, and wrong after some others."""

import pytest

from convcheck.defects import state_keys, state_wear
from convcheck.execution import InProcessCandidate
from convcheck.judging.playing import play
from convcheck.model.history import read_history

DEFECTS = (*state_keys.DEFECTS, *state_wear.DEFECTS)
PAIRS = {
    "plan-without-stride": "v1,x=1x1x5x5,out=1,k=1,s=2 v1,x=1x1x5x5,out=1,k=1,s=3x2",
    "plan-without-dilation": "v1,x=1x1x5x5,out=1,k=2 v1,x=1x1x5x5,out=1,k=2,d=2",
    "plan-without-padding": "v1,x=1x1x5x5,out=1,k=2,p=1 v1,x=1x1x5x5,out=1,k=2",
    "plan-without-padding-mode": "v1,x=1x1x5x5,out=1,k=2,p=1 v1,x=1x1x5x5,out=1,k=2,p=1,mode=circular",
    "backward-plan-without-stride": "v1,x=1x1x5x5,out=1,k=1,s=2@backward v1,x=1x1x5x5,out=1,k=1,s=3x2@backward",
    "backward-plan-without-padding-mode": "v1,x=1x1x5x5,out=1,k=2,p=1@backward "
    "v1,x=1x1x5x5,out=1,k=2,p=1,mode=circular@backward",
    "bias-of-earlier-layer": "v1,x=1x1x5x5,out=1,k=2 v1,x=1x1x5x5,out=1,k=2,bias=false",
    "table-by-number-of-pixels": "v1,x=1x1x4x6,out=1,k=2 v1,x=1x1x6x4,out=1,k=2",
    "table-by-padded-size": "v1,x=1x1x5x5,out=1,k=2 v1,x=1x1x3x3,out=1,k=2,p=1",
    "table-by-longer-side": "v1,x=1x1x5x4,out=1,k=2 v1,x=1x1x5x3,out=1,k=2",
    "input-layout-of-first": "v1,x=1x1x5x4,out=1,k=2 v1,x=1x1x5x4,out=1,k=2,layout-x=transposed",
    "weight-layout-of-first": "v1,x=1x1x5x4,out=1,k=2x3 v1,x=1x1x5x4,out=1,k=2x3,layout-weight=transposed",
    "scale-of-first-dtype": "v1,x=1x1x5x4,out=1,k=2 v1,x=1x1x5x4,out=1,k=2,dtype=float64",
    "columns-of-last-forward": "v1,x=1x1x5x5,out=1,k=2 v1,x=1x1x5x5,out=1,k=2,seed=1@backward",
    "rows-of-larger-batch": "v1,x=3x1x5x5,out=1,k=2@backward v1,x=2x1x5x5,out=1,k=2@backward",
    "images-of-first-batch": "v1,x=1x1x5x5,out=1,k=2 v1,x=2x1x5x5,out=1,k=2",
    "arena-wraps-around": "v1,x=1x1x1x1,out=1,k=1@times=1024",
    "wrong-after-thousands": "v1,x=1x1x1x1,out=1,k=1@times=2500",
    "worn-gradients": "v1,x=1x1x1x1,out=1,k=1@backward,times=301",
    "workspaces-run-out": "v1,x=1x1x1x1,out=1,k=1@times=1501",
    "one-call-in-hundreds": "v1,x=1x1x1x1,out=1,k=1@times=1500",
}
OTHER = {"table-of-few-plans", "weight-kept-by-size"}
"""What takes many layers, or a weight that looks like another."""


@pytest.mark.parametrize("item", [d for d in DEFECTS if d.name not in OTHER], ids=lambda item: item.name)
def test_it_is_wrong_after_other_calls_only(item):
    played = play(InProcessCandidate(item.backend), read_history(PAIRS[item.name]))
    assert played.failure is not None
    assert played.failure.clauses == ("C2D-PURE-4",)


def test_a_full_table_gives_the_place_of_a_plan_away():
    (item,) = [d for d in DEFECTS if d.name == "table-of-few-plans"]
    layers = " ".join(f"v1,x=1x1x2x{width},out=1,k=2" for width in range(2, 60))
    assert play(InProcessCandidate(item.backend), read_history(layers)).failure is not None


def test_no_defect_is_left_out():
    assert {item.name for item in DEFECTS} == set(PAIRS) | OTHER
