"""What of a case counts as reach, the targets of each ladder, and how reached values are kept and added up."""

import pytest

from convcheck.model.ladder import Ladder
from convcheck.model.reach import NAMES, QUANTITIES, Reach, quantities, targets
from convcheck.model.token import read

CASE = "v1,x=2x6x9x11,out=8,k=3x2,s=2x1,p=1x0,d=1x4,g=2"


def reached(*tokens):
    reach = Reach()
    for token in tokens:
        reach.look_at(read(token))
    return reach


def of(name, ladder):
    return [(t.low, t.high) for t in targets(ladder) if t.quantity == name]


def test_quantities_are_what_their_names_say():
    found = quantities(read(CASE))
    assert {name: found[name] for name in ("batch", "in_channels", "in_channels per group", "pixels")} == {
        "batch": 2,
        "in_channels": 6,
        "in_channels per group": 3,
        "pixels": 99,
    }
    assert (found["output height"], found["output width"]) == (5, 7)
    assert (found["taps"], found["extent width"], found["reduction length"]) == (6, 5, 18)
    assert found["multiply-adds"] == 2 * 8 * 35 * 18
    assert found["out_channels and output pixels"] == 4
    assert (found["stride height"], found["dilation height"], found["dilation width"]) == (2, 1, 4)
    assert set(found) == set(NAMES)


def test_a_stride_that_is_never_taken_and_a_dilation_of_one_tap_are_no_reach():
    found = quantities(read("v1,x=1x1x1x1,out=1,k=1,s=64,d=64"))
    assert (found["stride height"], found["dilation width"]) == (1, 1)


@pytest.mark.parametrize(
    ("into", "out", "kind"), [(64, 64, 1), (64, 65, 2), (65, 64, 3), (65, 70, 4), (32, 65, 0), (33, 2, 0)]
)
def test_remainders_of_channels_are_told_apart_where_both_exceed_a_tile(into, out, kind):
    assert quantities(read(f"v1,x=1x{into}x1x1,out={out},k=1"))["remainders of channels by 32"] == kind


def test_powers_of_two_have_both_neighbours_and_tiles_between():
    batch = of("batch", Ladder.QUICK)
    assert {(31, 31), (32, 32), (33, 33), (49, 63), (64, 64), (65, 65)} <= set(batch)
    assert max(high for _, high in batch) == 65
    assert {(1 << 15, (1 << 16) - 1), (1 << 16, (1 << 17) - 1)} <= set(of("width", Ladder.STANDARD))


def test_a_longer_ladder_reaches_further_in_every_quantity():
    for quantity in QUANTITIES:
        tops = [max(low for low, _ in of(quantity.name, ladder)) for ladder in Ladder]
        assert tops == sorted(tops)


def test_every_quantity_has_targets():
    assert {t.quantity for t in targets(Ladder.STANDARD)} == set(NAMES)


@pytest.mark.parametrize(("width", "met"), [(31, False), (32, True), (33, False)])
def test_a_target_is_met_by_its_values_alone(width, met):
    (target,) = [t for t in targets(Ladder.QUICK) if (t.quantity, t.low, t.high) == ("width", 32, 32)]
    assert reached(f"v1,x=1x1x1x{width},out=1,k=1").meets(target) is met


def test_every_value_of_a_range_meets_it():
    (target,) = [t for t in targets(Ladder.STANDARD) if t.quantity == "width" and t.low == 1 << 12]
    for width in (target.low, target.low + 1000, target.high):
        assert reached(f"v1,x=1x1x1x{width},out=1,k=1").meets(target)
    for width in (target.low - 1, target.high + 1):
        assert not reached(f"v1,x=1x1x1x{width},out=1,k=1").meets(target)


def test_what_was_reached_adds_up_and_survives_as_counts():
    one, other = reached(CASE), reached("v1,x=65x1x1x3,out=1,k=1")
    one.add(other)
    assert one.largest["batch"] == 65
    assert Reach.of(one.counts("mine")) == one
    assert all(count.backend == "mine" for count in one.counts("mine"))
