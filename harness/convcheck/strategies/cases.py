"""The strategy of cases: a layer, its input, and how its data look and lie in memory."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from convcheck.capabilities import Capabilities
from convcheck.case import Case, Layout, Layouts, Regime
from convcheck.strategies.illegal import break_case
from convcheck.strategies.layers import layers, pick

_DTYPES: Final = ("float32", "float32", "float32", "float32", "float64", "float16", "bfloat16")
_REGIMES: Final[tuple[Regime, ...]] = (
    "reals", "reals", "reals", "reals", "reals", "wide", "positive", "cancelling", "special", "large",
    "overflow", "subnormal",
)  # fmt: skip
_LAYOUTS: Final[tuple[Layout, ...]] = (
    "contiguous", "contiguous", "contiguous", "channels_last", "channels_last", "sliced", "transposed",
    "reversed", "expanded", "offset", "odd_strides",
)  # fmt: skip


@st.composite
def cases(
    draw: Any,
    capabilities: Capabilities,
    dtypes: tuple[str, ...] | None = None,
) -> Case:
    """Cases that a backend with these capabilities has to handle, about 11 % of them illegal.

    Args:
        draw: given by Hypothesis.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further; complex dtypes are drawn only if they are named here.
    """
    wanted = dtypes or tuple(d for d in capabilities.dtypes if not d.startswith("complex"))
    weighted = tuple(d for d in _DTYPES if d in wanted) + tuple(d for d in wanted if d not in _DTYPES)
    arguments, shape = layers(draw, capabilities)
    case = Case(
        arguments,
        shape,
        dtype=pick(draw, weighted),
        regime=pick(draw, _REGIMES if capabilities.nonfinite else _REGIMES[:8]),
        layouts=_layouts(draw, capabilities),
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    kind = draw(st.integers(0, 27))
    if kind >= 25:
        return break_case(draw, case, module=capabilities.module)
    if kind >= 23 and capabilities.module:
        return Case(case.arguments, shape, case.dtype, layouts=case.layouts, entry="module", seed=case.seed)
    return case


def _layouts(draw: Any, capabilities: Capabilities) -> Layouts:
    """One layout for all tensors in half of the cases, three independent ones in the rest."""
    known = tuple(layout for layout in _LAYOUTS if layout in capabilities.layouts)
    first = pick(draw, known)
    if draw(st.integers(0, 1)) == 0:
        return first, first, first
    # a gradient is the tensor that comes as one number, from the sum that is differentiated
    of_gradients = (*known, "broadcast") if "broadcast" in capabilities.layouts else known
    return first, pick(draw, known), pick(draw, of_gradients)
