"""The options of the conformance suite under pytest. Loads nothing: pytest reads them in every run.

What is typed beats ``[tool.convcheck]`` in the project's pyproject.toml, and that beats the defaults.
"""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import pytest

from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level

DTYPES: Final = ("float32", "float64", "float16", "bfloat16")
"""Those that are judged unless others are asked for."""

_DIGITS: Final = 18
_YEAR: Final = 366 * 86_400.0

DEFAULTS: Final[Mapping[str, Any]] = {
    "examples": 200,
    "limit": 60.0,
    "database": "",
    "level": str(LAST),
    "reach": str(Ladder.STANDARD),
    "report-dir": "reports",
    "known-failures": "",
}
"""By setting, what holds where neither the command line nor the project says anything."""

_OPTIONS: Final[Mapping[str, str]] = {
    "backends": "conv_backend",
    "dtypes": "conv_dtype",
    **{name: f"conv_{name.replace('-', '_')}" for name in ("seed", *DEFAULTS)},
}
"""By setting, the option that it is the default of."""


def add_defaults(option: Namespace, settings: Mapping[str, Any]) -> None:
    """Fill in what was not typed.

    Args:
        option: what was.
        settings: of the project.
    """
    for name, value in {**DEFAULTS, **settings}.items():
        if name in _OPTIONS and getattr(option, _OPTIONS[name]) in (None, []):
            setattr(option, _OPTIONS[name], value)


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
        metavar="N",
        help="cases for each backend and dtype; by default 200",
    )
    add("--conv-explore", action="store_true", help="a test of Hypothesis' own besides, as its profile says")
    add("--conv-seed", type=_whole, metavar="N", help="of the generator; by default that of --hypothesis-seed, or 0")
    add("--conv-limit", type=_limit, metavar="SECONDS", help="after which a call counts as hung; by default 60")
    add(
        "--conv-database",
        metavar="DB",
        help="of cases that failed before: a folder, module:attribute, none",
    )
    add(
        "--conv-level",
        choices=[str(level) for level in Level],
        type=str.lower,
        help="the last level whose findings fail a test; what is wrong beyond is an expected failure",
    )
    add(
        "--conv-reach",
        choices=[str(ladder) for ladder in Ladder],
        type=str.lower,
        help="how far some of the cases reach",
    )
    add("--conv-report-dir", metavar="DIR", help="where the report's folder goes; by default reports")
    add("--conv-known-failures", metavar="PATH", help="TOML file, or folder of <backend>.toml")
    add("--conv-github", action="store_true", help="annotations and a job summary for GitHub Actions")


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
