"""Where a layer's result is wrong: words that know its groups, padding, stride and taps, and heat maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.diagnosis import HeatMap, Localization
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.verdicts import Verdict
from convcheck.oracles import Trial, expectation_of
from convcheck.oracles.support.localization import locate
from convcheck.triage.diagnosis.heat_map import heat_map

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Known = dict[int, Mapping[str, Iterable[int]]]


def localize(trial: Trial, verdict: Verdict) -> Localization | None:
    """Where the result of a failing trial is wrong.

    None if the oracle compares no single result, or none of the right shape came back.
    """
    due = expectation_of(trial, verdict)
    if due is None:
        return None
    quantity = next(q for q in QUANTITIES if q == verdict.quantity)
    got = trial.array(trial.outcomes.get(due.key), quantity)
    if got is None or got.size == 0:
        return None
    judged = np.isfinite(due.tolerance)
    wrong = judged & _differs(got, due.value, due.tolerance)
    if not wrong.any():
        return None
    words = locate(wrong, judged, _landmarks(trial.case, quantity), quantity)
    return Localization(trial.case.token, words, tuple(_maps(wrong, judged, quantity)))


def _differs(got: Array, value: Array, tolerance: Array) -> Mask:
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(got.astype(value.dtype) - value) <= tolerance
        rounded = got == value.astype(got.dtype)
    return np.asarray(~(near | rounded | (np.isnan(got) & np.isnan(value))), np.bool_)


def _landmarks(case: Case, quantity: Quantity) -> Known:
    """Positions along the axes of a quantity that the layer gives a meaning."""
    params = case.params
    if quantity == "grad_bias":
        return {0: _groups(params.out_channels, params.groups)}
    if quantity == "grad_weight":
        return {0: _groups(params.out_channels, params.groups), **_taps(params.kernel_size)}
    images = 0 if case.unbatched else 1
    channels = params.out_channels if quantity == "output" else params.in_channels
    sides = _padded(case) if quantity == "output" else _left_over(case)
    return {images: _groups(channels, params.groups), images + 1: sides[0], images + 2: sides[1]}


def _groups(channels: int, groups: int) -> Mapping[str, Iterable[int]]:
    if groups in (1, channels):
        return {}
    each = channels // groups
    found: dict[str, Iterable[int]] = {
        f"group {g + 1} of {groups}": range(g * each, (g + 1) * each) for g in range(groups)
    }
    found[f"all of the {groups} groups but the first"] = range(each, channels)
    found |= {f"channel {at} of every group": range(at, channels, each) for at in range(each)}
    found["all channels of a group but the first"] = [c for c in range(channels) if c % each]
    return found


def _taps(kernel: tuple[int, int]) -> Known:
    found: Known = {}
    for axis, (size, name) in enumerate(zip(kernel, ("row", "column"), strict=True), 2):
        found[axis] = {f"kernel {name} {at}" + (" (the last)" if at == size - 1 else ""): [at] for at in range(size)}
    return found


def _padded(case: Case) -> list[Mapping[str, Iterable[int]]]:
    """Windows that reach into the padding."""
    params = case.params
    found: list[Mapping[str, Iterable[int]]] = []
    for axis, (name, sides) in enumerate((("rows", ("above", "below")), ("columns", ("left", "right")))):
        start = np.arange(case.output_shape[axis - 2]) * params.stride[axis] - params.padding[axis][0]
        before = start < 0
        after = start + params.extent[axis] > case.input_shape[axis - 2]
        named = {
            f"the {name} whose windows reach into the padding": before | after,
            f"the {name} whose windows reach into the padding {sides[0]}": before,
            f"the {name} whose windows reach into the padding {sides[1]}": after,
        }
        found.append({words: np.flatnonzero(mask).tolist() for words, mask in named.items() if mask.any()})
    return found


def _left_over(case: Case) -> list[Mapping[str, Iterable[int]]]:
    """Pixels that no window reads."""
    params = case.params
    found: list[Mapping[str, Iterable[int]]] = []
    for axis, name in enumerate(("rows", "columns")):
        size, out = case.input_shape[axis - 2], case.output_shape[axis - 2]
        end = (out - 1) * params.stride[axis] + params.extent[axis] - params.padding[axis][0]
        beyond = range(max(0, end), size)
        found.append({f"the {name} that the stride leaves over": beyond} if beyond else {})
    return found


def _maps(wrong: Mask, judged: Mask, quantity: Quantity) -> list[HeatMap]:
    if wrong.ndim == 1:
        return [heat_map(wrong[None], judged[None], (0, 1), ("results", "channels"))]
    if wrong.ndim == 3:
        wrong, judged = wrong[None], judged[None]
    if quantity == "grad_weight":
        planes, pixels = ("filters", "input channels of a group"), ("kernel rows", "kernel columns")
    else:
        planes, pixels = ("images", "channels"), ("rows", "columns")
    return [heat_map(wrong, judged, (2, 3), pixels), heat_map(wrong, judged, (0, 1), planes)]
