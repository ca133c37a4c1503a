"""Cases built from a row of classes: what the row leaves open is drawn."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from convcheck.model.case import Case, Regime
from convcheck.strategies import parameter_model
from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.layers import SMALL_BUDGET, Plan, spell
from convcheck.strategies.layouts import Placed, any_of, in_memory, placed
from convcheck.strategies.parameter_model import Classes, Space
from convcheck.strategies.tables import axes, axis, channels
from convcheck_reference.params import PADDING_MODES

SEEDS: Final = 10_000
"""Seeds of the data that are drawn: two choices of Hypothesis. A layer seldom comes twice."""

_ATTEMPTS: Final = 4
_BATCHES: Final[tuple[tuple[int | None, ...], ...]] = ((1,), (2, 3, 4, 5), (8, 9, 16), (0,), (None,))


def steered(draw: Draw, space: Space, row: Classes, regimes: tuple[Regime, ...]) -> Case:
    """A legal case in the classes of a feasible row, the cheapest of a few where all are dear."""
    plans = []
    for _ in range(_ATTEMPTS):
        plan = _plan(draw, space, row)
        plans.append(plan)
        if plan.cost <= SMALL_BUDGET:
            break
    arguments, shape = spell(draw, min(plans, key=lambda plan: plan.cost))
    of_class = tuple(d for d in space.dtypes if d.startswith(parameter_model.DTYPES[row[parameter_model.DTYPE]]))
    return Case(
        arguments,
        shape,
        dtype=pick(draw, of_class),
        regime=pick(draw, regimes),
        seed=draw(0, SEEDS - 1),
        **in_memory(_placed(draw, space, row[parameter_model.LAYOUT]), bias=bool(row[parameter_model.BIAS])),
    )


def _plan(draw: Draw, space: Space, row: Classes) -> Plan:
    spelled, mode = (
        parameter_model.PADDINGS[row[parameter_model.PADDING][0]],
        PADDING_MODES[row[parameter_model.PADDING][1]],
    )
    along = axes(space)[spelled, mode]
    some = channels(space)[row[parameter_model.CHANNELS]]
    return Plan(
        axis(along[row[parameter_model.HEIGHT]], _low(draw, along[row[parameter_model.HEIGHT]])),
        axis(along[row[parameter_model.WIDTH]], _low(draw, along[row[parameter_model.WIDTH]])),
        some[_low(draw, some)],
        pick(draw, _BATCHES[row[parameter_model.BATCH]]),
        spelled,
        mode,
        bool(row[parameter_model.BIAS]),
    )


def _low(draw: Draw, some: NDArray[Any] | tuple[Any, ...]) -> int:
    """A place in a table whose cheapest entries come first; the cheap ones more often."""
    return min(draw(0, len(some) - 1), draw(0, len(some) - 1))


def _placed(draw: Draw, space: Space, number: int) -> Placed:
    drawn = placed(draw, space.layouts)
    if number < 3:
        layout: Any = parameter_model.LAYOUTS[number] if number < 2 else any_of(draw, space.others)
        return drawn._replace(layouts=(layout,) * 3)
    first, second, third = drawn.layouts
    if first == second == third:  # mixed is what the row asks for
        other = any_of(draw, [layout for layout in space.layouts_of_data if layout != first] or space.layouts_of_data)
        third = any_of(draw, [layout for layout in space.layouts if layout != other])
        return drawn._replace(layouts=(first, other, third))
    return drawn
