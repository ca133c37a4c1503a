"""Few layers meet all targets of a ladder that layers of their cost can meet."""

import pytest

from convcheck import Case
from convcheck.model.ladder import Ladder
from convcheck.model.reach import Reach, targets
from convcheck.strategies.layers import spell
from convcheck.strategies.realistic import as_published, published
from convcheck.strategies.thin import DECKS, deck


def simplest(low, _):
    return low


def reached(plans):
    reach = Reach()
    for plan in plans:
        case = Case(*spell(simplest, plan))
        assert case.violation is None
        reach.look_at(case)
    return reach


@pytest.mark.parametrize("ladder", [Ladder.QUICK, Ladder.STANDARD])
@pytest.mark.parametrize("number", [0, DECKS - 1])
def test_thin_and_published_layers_together_meet_every_target(ladder, number):
    reach = reached([*deck(ladder, number), *map(as_published, published(ladder))])
    assert [target for target in targets(ladder) if not reach.meets(target)] == []


def test_no_layer_is_dear():
    assert max(plan.cost for plan in deck(Ladder.STANDARD, 0)) <= 2_300_000


def test_usual_kernels_meet_large_sizes_as_well():
    large = [p for p in deck(Ladder.STANDARD, 0) if max(p.batch, p.channels.inputs, p.channels.outputs) > 256]
    assert {(p.height.kernel, p.width.kernel) for p in large} >= {(1, 1), (3, 3)}


def test_another_number_puts_the_targets_together_in_another_way():
    assert deck(Ladder.QUICK, 0) != deck(Ladder.QUICK, 1)


def test_what_a_backend_does_not_take_is_left_out():
    plans = deck(Ladder.QUICK, 0, groups=False, dilation=False)
    assert {(p.channels.groups, p.height.dilation, p.width.dilation) for p in plans} == {(1, 1, 1)}
    assert reached(plans).largest["width"] >= 65
