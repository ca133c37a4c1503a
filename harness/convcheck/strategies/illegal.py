"""Illegal cases: a legal one with exactly one thing made wrong, as close to legality as it gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from convcheck.case import FLAWS, Case, Entry
from convcheck.strategies.layers import pick

_KINDS: Final = (
    "stride", "dilation", "padding", "groups", "zero groups", "padding string", "mode", "same with stride",
    "kernel too large", "reflect", "circular", "kernel", "type", *FLAWS[1:],
)  # fmt: skip


_MODULE_KINDS: Final = ("mode", "kernel", "type")
"""What only a constructor can be asked: a function has no such argument, or sees it in the weight."""


def break_case(draw: Any, case: Case, *, module: bool) -> Case:  # noqa: C901  (one branch a kind)
    """An illegal neighbour of a legal case, through the module only if there is one."""
    kind = pick(draw, _KINDS if module else tuple(k for k in _KINDS if k not in _MODULE_KINDS))
    if kind in FLAWS:
        return _flawed(case, kind)
    axis: int = draw(st.integers(0, 1))
    entry: Entry = pick(draw, ("function", "module") if module else ("function",))
    arguments, params = case.arguments, case.params
    changes: dict[str, Any]
    if kind in ("stride", "dilation", "padding"):
        pair = list(getattr(params, kind) if kind != "padding" else (0, 0))
        pair[axis] = -1 if kind == "padding" else pick(draw, (0, -1))
        changes = {kind: tuple(pair), "padding_mode": "zeros"}
        if kind == "stride" and isinstance(arguments.padding, str):
            changes["padding"] = 0
    elif kind == "groups":
        # one more input channel than the groups divide
        groups = max(2, params.groups)
        channels = groups * (params.in_channels // params.groups) + 1
        outputs = groups * (params.out_channels // params.groups)
        changes = {"groups": groups, "in_channels": channels, "out_channels": outputs}
        case = replace(case, input_shape=(*case.input_shape[:-3], channels, *case.input_shape[-2:]))
    elif kind == "zero groups":
        changes = {"groups": pick(draw, (0, -1))}
    elif kind == "padding string":
        changes = {"padding": pick(draw, ("full", "Same", "sme"))}
    elif kind == "mode":
        changes, entry = {"padding_mode": pick(draw, ("constant", "zero", "edge"))}, "module"
    elif kind == "same with stride":
        changes = {"padding": "same", "stride": (2, 1) if axis else 2, "padding_mode": "zeros"}
    elif kind == "kernel too large":
        kernel = list(params.kernel_size)
        kernel[axis] = case.input_shape[axis - 2] + 2
        changes = {"kernel_size": tuple(kernel), "padding": (0, 0), "dilation": 1, "padding_mode": "zeros"}
    elif kind in ("reflect", "circular"):
        pads = [0, 0]
        pads[axis] = case.input_shape[axis - 2] + (kind == "circular")
        changes = {"padding": tuple(pads), "padding_mode": kind}
    elif kind == "kernel":
        kernel = list(params.kernel_size)
        kernel[axis] = pick(draw, (0, -1))
        changes, entry = {"kernel_size": tuple(kernel), "padding": (0, 0)}, "module"
    else:
        name = pick(draw, ("stride", "kernel_size", "groups", "dilation"))
        changes, entry = {name: pick(draw, (1.5, None, True))}, "module"
    broken = replace(case, arguments=replace(arguments, **changes), entry=entry, regime="reals")
    return broken if broken.violation is not None else _flawed(case, "weight_channels")


def _flawed(case: Case, flaw: Any) -> Case:
    if flaw == "bias_shape" and not case.arguments.bias:
        case = replace(case, arguments=replace(case.arguments, bias=True))
    return replace(case, entry="function", flaw=flaw, regime="reals")
