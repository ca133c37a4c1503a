"""What rate of wrong calls a run excludes: a call that is wrong now and then shows with as many calls as were made.

Of n calls each of which is wrong with probability p, none is with probability (1 − p)^n. Where none was, p is below 3/n
with 95 % confidence, since (1 − 3/n)^n ≤ e⁻³ < 0.05: the rule of three. It says nothing of layers unlike those called.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.record import BackendRecord, Record
from convcheck.report.tables import printable

CONFIDENCE: Final = 0.95
_RULE_OF_THREE: Final = 3


def excluded_rates(record: Record, backend: BackendRecord) -> Iterator[tuple[str, int, str]]:
    """Each quantity of a backend, the number of calls that gave it right, and how rare wrong ones are, in words."""
    findings = [f for f in record.findings if f.backend == backend.name]
    wrong = {quantity for f in findings for quantity in (f.verdict.quantity, *f.also_affects)}
    for quantity, calls in backend.right_calls.items():
        if quantity in wrong:
            yield quantity, calls, "some are wrong: see the findings"
        elif calls > _RULE_OF_THREE:
            yield quantity, calls, f"fewer than one in {calls // _RULE_OF_THREE:,}"


def excluded_rate_lines(record: Record) -> list[str]:
    """A line for the output of each backend of which no call was wrong."""
    return [
        f"{printable(backend.name)}: {quantity} right in {calls:,} calls on integers: of calls like these {said} is "
        f"wrong, with {CONFIDENCE:.0%} confidence"
        for backend in record.backends
        for quantity, calls, said in excluded_rates(record, backend)
        if quantity == "output" and said.startswith("fewer")
    ]
