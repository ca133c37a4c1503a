"""Plots beside the numbers of a table: how much of a bound was used, and how far a run reached."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from convcheck.model.reach import Target

_WIDE: Final = 200
_HIGH: Final = 14
_LEAST: Final = -3.0
_DECADES: Final = 5.0
"""Of error / bound: from a thousandth to a hundred, beyond which a bar ends at the edge."""


def margin_bar(margin: float) -> str:
    """A bar as long as the decimal logarithm of a margin, and a line where the bound is."""
    length, bound = _place(margin), _place(1.0)
    name = "within" if margin <= 1 else "over"
    return _svg(
        f'<rect class="track" y="3" width="{_WIDE}" height="8"/><rect class="{name}" y="3" width="{length:.4g}" '
        f'height="8"/><path class="bound" d="M{bound:.4g} 0V{_HIGH}"/>'
    )


def reach_strip(wanted: Iterable[tuple[Target, bool]]) -> str:
    """A tick for each value that was to be reached, by the logarithm of it: high where it was, low where not."""
    some = list(wanted)
    if not some:
        return ""
    most = max(math.log2(target.low + 1) for target, _ in some) or 1.0
    met = "".join(_tick(target, most, 0) for target, reached in some if reached)
    missed = "".join(_tick(target, most, _HIGH - 5) for target, reached in some if not reached)
    return _svg(f'<path class="met" d="{met}"/><path class="missed" d="{missed}"/>')


def _tick(target: Target, most: float, top: int) -> str:
    return f"M{3 + (_WIDE - 6) * math.log2(target.low + 1) / most:.4g} {top}V{_HIGH}"


def _place(margin: float) -> float:
    """Where a margin is along a bar; one that is no number is as bad as any."""
    if not margin < math.inf:
        return _WIDE
    if margin <= 0:
        return 0.0
    return _WIDE * min(1.0, max(0.0, (math.log10(margin) - _LEAST) / _DECADES))


def _svg(parts: str) -> str:
    # the numbers beside it say the same, to those who do not see it
    return f'<svg class="plot" aria-hidden="true" width="{_WIDE}" height="{_HIGH}">{parts}</svg>'
