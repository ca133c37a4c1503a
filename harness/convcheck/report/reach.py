"""How far a run looked: the largest value judged of each quantity that a kernel may branch on, and what was missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.reach import NAMES, Target, targets
from convcheck.model.record import BackendRecord, Record
from convcheck.report.plots import reach_strip

_IN_WORDS: Final = (
    ("images up to {} high", "height"),
    ("{} wide", "width"),
    ("batch up to {}", "batch"),
    ("{} input channels", "in_channels"),
    ("{} filters", "out_channels"),
    ("kernels up to {} high", "kernel height"),
    ("{} wide", "kernel width"),
    ("{} multiply-adds", "multiply-adds"),
)
_SHOWN: Final = 6

REACH_HEADERS: Final = ("backend", "quantity", "largest judged", "targets met", "not reached")


def reach_in_words(record: Record, backend: BackendRecord) -> str:
    """The largest sizes judged, each of some case, and the share of the targets met; empty if no case was judged."""
    reach = record.reach(backend.name)
    if not reach.largest:
        return ""
    wanted = targets(record.ladder)
    met = sum(map(reach.meets, wanted))
    said = ", ".join(text.format(f"{reach.largest.get(quantity, 0):,}") for text, quantity in _IN_WORDS)
    return f"{said}; {met} of {len(wanted)} thresholds of reach {record.ladder} met"


def reach_rows(record: Record) -> list[tuple[str, ...]]:
    """For each backend and quantity: the largest value judged, how many targets were met, and which were not."""
    rows: list[tuple[str, ...]] = []
    for backend, name, wanted in _wanted(record):
        missed = [str(target) for target, met in wanted if not met]
        shown = ", ".join(missed[:_SHOWN]) + (f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else "")
        met = f"{len(wanted) - len(missed)} of {len(wanted)}" if wanted else ""
        rows.append((backend.name, name, f"{record.reach(backend.name).largest[name]:,}", met, shown))
    return rows


def reach_strips(record: Record) -> list[str]:
    """The targets of each of these rows as a plot, which has no text."""
    return [reach_strip(wanted) for _, _, wanted in _wanted(record)]


def _wanted(record: Record) -> Iterator[tuple[BackendRecord, str, list[tuple[Target, bool]]]]:
    """Each backend and quantity that some case was judged of, with its targets and whether they were met."""
    every = targets(record.ladder)
    for backend in record.backends:
        reach = record.reach(backend.name)
        for name in filter(reach.largest.__contains__, NAMES):
            yield backend, name, [(target, reach.meets(target)) for target in every if target.quantity == name]
