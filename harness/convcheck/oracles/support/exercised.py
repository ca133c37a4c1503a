"""Which clauses a case exercises: what about it departs from the plainest layer.

The order is from the most specific clause to the least: a finding is named after the first clause that
its smallest case still exercises.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from convcheck.model.case import Case
from convcheck_reference.params import Conv2dParams

_UNLIKE_MEMORY = ("expanded", "reversed", "broadcast")
"""How the names of layouts begin that read an element twice, or backwards."""


@lru_cache(maxsize=1024)
def exercised(case: Case, quantity: str = "output") -> tuple[str, ...]:
    """The clauses that a legal case exercises in one quantity, most specific first."""
    gradient = {"grad_input": "C2D-GRAD-1", "grad_weight": "C2D-GRAD-2", "grad_bias": "C2D-GRAD-3"}.get(quantity)
    clauses = _whatever_the_quantity(case)
    if gradient is None:
        return clauses
    params = case.params
    special = []
    if params.padding_mode != "zeros" and any(map(any, params.padding)):
        special.append("C2D-GRAD-6")
    if any(leftovers(params, *case.input_shape[-2:])):
        special.append("C2D-GRAD-4")
    return (*special, *clauses, gradient)


@lru_cache(maxsize=1024)
def _whatever_the_quantity(case: Case) -> tuple[str, ...]:
    return (*_parameters(case), *_data(case))


def leftovers(params: Conv2dParams, height: int, width: int) -> tuple[int, int]:
    """Padded rows and columns after the last window, which the stride leaves over."""
    padded = (height + sum(params.padding[0]), width + sum(params.padding[1]))
    rest = [(p - e) % s for p, e, s in zip(padded, params.extent, params.stride, strict=True)]
    return rest[0], rest[1]


def _parameters(case: Case) -> list[str]:
    params, spelled = case.params, case.arguments
    (ph, pw), padded = (max(p) for p in params.padding), any(map(any, params.padding))
    mode = {"reflect": "C2D-MODE-2", "replicate": "C2D-MODE-3", "circular": "C2D-MODE-4"}.get(params.padding_mode)
    candidates = (
        ("C2D-SHAPE-3", case.batch == 0),
        (mode if padded else None, True),
        ("C2D-PAD-3", spelled.padding == "same"),
        ("C2D-PAD-4", spelled.padding == "valid"),
        ("C2D-PAD-5", any(p >= e for p, e in zip((ph, pw), params.extent, strict=True)) and padded),
        ("C2D-DIL-2", params.dilation[0] != params.dilation[1]),
        ("C2D-DIL-1", params.dilation[0] == params.dilation[1] != 1),
        ("C2D-STRIDE-3", any(leftovers(params, *case.input_shape[-2:]))),
        ("C2D-STRIDE-2", params.stride[0] != params.stride[1]),
        ("C2D-STRIDE-1", params.stride[0] == params.stride[1] != 1),
        ("C2D-GROUPS-2", params.groups == params.in_channels > 1),
        ("C2D-GROUPS-1", params.groups > 1),
        ("C2D-PAD-2", ph != pw),
        ("C2D-PAD-1", padded and ph == pw),
        ("C2D-MODE-1", padded and mode is None),
        ("C2D-KERNEL-3", any(k % 2 == 0 for k in params.kernel_size)),
        ("C2D-KERNEL-1", params.kernel_size[0] != params.kernel_size[1]),
        ("C2D-SHAPE-2", case.unbatched),
        ("C2D-BATCH-1", case.batch > 1),
    )
    return [clause for clause, holds in candidates if clause is not None and holds]


def _data(case: Case) -> list[str]:
    params = case.params
    layouts = (*case.layouts, *(case.layout_bias,) * params.bias)
    candidates = (
        ("C2D-LAYOUT-2", any(layout.startswith(_UNLIKE_MEMORY) for layout in layouts)),
        ("C2D-LAYOUT-1", any(not layout.startswith(("contiguous", *_UNLIKE_MEMORY)) for layout in layouts)),
        ("C2D-DTYPE-3", case.dtype.startswith("complex")),
        ("C2D-DTYPE-2", case.dtype in ("float16", "bfloat16")),
        ("C2D-BIAS-1", params.bias),
        ("C2D-KERNEL-2", params.kernel_size == (1, 1)),
        ("C2D-BIAS-2", not params.bias),
    )
    return [clause for clause, holds in candidates if holds]


PLAIN: Final = frozenset({"C2D-KERNEL-2", "C2D-BIAS-2"})
"""The plainest layer still has a kernel and a bias or none, so these say nothing about a cause."""


def telling_clause(clauses: Sequence[str]) -> str:
    """The clause that a failure is named after: the most specific, unless that says nothing about its cause."""
    return clauses[0] if clauses[0] not in PLAIN else clauses[-1]
