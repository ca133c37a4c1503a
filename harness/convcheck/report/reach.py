"""How far a run looked: the largest value judged of each quantity that a kernel may branch on, and what was missed."""

from __future__ import annotations

from typing import Final

from convcheck.model.reach import NAMES, targets
from convcheck.model.record import BackendRecord, Record
from convcheck.report.tables import Style, table

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


def reach_table(record: Record, style: Style) -> str:
    """`reach_rows` as a table; empty if no case was judged."""
    rows = reach_rows(record)
    return table(REACH_HEADERS, rows, style) if rows else ""


def reach_rows(record: Record) -> list[tuple[str, ...]]:
    """For each backend and quantity: the largest value judged, how many targets were met, and which were not."""
    rows: list[tuple[str, ...]] = []
    for backend in record.backends:
        reach = record.reach(backend.name)
        for name in filter(reach.largest.__contains__, NAMES):
            wanted = [target for target in targets(record.ladder) if target.quantity == name]
            missed = [str(target) for target in wanted if not reach.meets(target)]
            shown = ", ".join(missed[:_SHOWN]) + (f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else "")
            met = f"{len(wanted) - len(missed)} of {len(wanted)}" if wanted else ""
            rows.append((backend.name, name, f"{reach.largest[name]:,}", met, shown))
    return rows
