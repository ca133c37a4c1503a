"""The options of the conformance suite under pytest. Loads nothing: pytest reads them in every run."""

from __future__ import annotations

from argparse import ArgumentTypeError
from functools import partial
from typing import Final

import pytest

from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level

DTYPES: Final = ("float32", "float64", "float16", "bfloat16")
"""Those that are judged unless others are asked for."""

_DIGITS: Final = 18
_YEAR: Final = 366 * 86_400.0


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the suite; what none of them can be is refused as it is read."""
    group = parser.getgroup("convcheck")
    add = group.addoption
    add(
        "--conv-backend",
        action="append",
        default=[],
        metavar="SPEC",
        help="a Conv2d backend to judge; may repeat",
    )
    add(
        "--conv-dtype",
        action="append",
        default=[],
        type=_dtype,
        metavar="DTYPE",
        help=f"dtypes; by default {', '.join(DTYPES)}",
    )
    add(
        "--conv-examples",
        type=partial(_whole, least=1),
        default=200,
        metavar="N",
        help="cases for each backend and dtype",
    )
    add("--conv-explore", action="store_true", help="a test of Hypothesis' own besides, as its profile says")
    add("--conv-seed", type=_whole, metavar="N", help="of the generator; by default that of --hypothesis-seed, or 0")
    add("--conv-limit", type=_limit, default=60.0, metavar="SECONDS", help="after which a call counts as hung")
    add(
        "--conv-database",
        default="",
        metavar="DB",
        help="of cases that failed before: a folder, module:attribute, none",
    )
    add(
        "--conv-level",
        default=str(LAST),
        choices=[str(level) for level in Level],
        type=str.lower,
        help="the last level whose findings fail a test; what is wrong beyond is an expected failure",
    )
    add(
        "--conv-reach",
        default=str(Ladder.STANDARD),
        choices=[str(ladder) for ladder in Ladder],
        type=str.lower,
        help="how far some of the cases reach",
    )
    add("--conv-report-dir", default="reports", metavar="DIR", help="where the report's folder goes")
    add("--conv-known-failures", default="", metavar="PATH", help="TOML file, or folder of <backend>.toml")


def _whole(text: str, least: int = 0) -> int:
    if not text.isdecimal() or len(text) > _DIGITS or int(text) < least:
        raise ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} to 10^18")
    return int(text)


def _limit(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= _YEAR:  # neither is NaN
        raise ArgumentTypeError(f"{text!r} is no time of 0.1 seconds to a year")
    return seconds


def _dtype(text: str) -> str:
    from convcheck_reference.formats import DTYPES as ALL

    if text not in ALL:
        raise ArgumentTypeError(f"{text[:40]!r} is no dtype; expected one of {', '.join(ALL)}")
    return text
