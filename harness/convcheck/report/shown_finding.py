"""A finding as the page shows it, ready for its template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from convcheck.explanation.figures import Figure
from convcheck.model.record import Finding
from convcheck.model.rules import NAMES
from convcheck.report.discrepancies import details
from convcheck.report.failing_case import failing_figures
from convcheck.report.heat_maps import as_svg
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import Sentence, sentence_of

ILLUSTRATED: Final = 300
"""Findings with pictures, the first ones: with more, a page would take long to load. `convcheck explain` draws any."""

_TO_COPY: Final = frozenset({"smallest case", "first failing case"})
_WORD: Final = re.compile(r"[a-z_]+")
_SIDES: Final = re.compile(r"_(h|w|pair)$")
_ARGUMENTS: Final = {
    "kernel": "kernel_size",
    "pad_bottom": "padding",
    "pad_right": "padding",
    "padding_same": "padding",
    "padding_valid": "padding",
    "in_per_group": "in_channels",
    "out_per_group": "out_channels",
    "height": "input size",
    "width": "input size",
    "output": "output size",
    "left_over": "output size",
    "extent": "dilation",
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding and what is drawn of it.

    Attributes:
        finding: the finding.
        sentence: what there is to say.
        command: that repeats it; empty for none.
        parameters: of the layer that its failure condition names.
        rows: of its details: name, text, and whether the text is a case.
        figures: the failing case and where a telling case is wrong.
    """

    finding: Finding
    sentence: Sentence
    command: str
    parameters: tuple[str, ...]
    rows: tuple[tuple[str, str, bool], ...]
    figures: tuple[Figure, ...]


def shown(finding: Finding, *, illustrated: bool) -> ShownFinding:
    """A finding ready to be shown.

    Args:
        finding: the finding.
        illustrated: whether it is drawn as well.
    """
    return ShownFinding(
        finding,
        sentence_of(finding),
        replay_command(finding),
        parameters_of(finding),
        tuple((name, text, name in _TO_COPY) for name, text in details(finding)),
        tuple(_figures(finding)) if illustrated else (),
    )


def parameters_of(finding: Finding) -> tuple[str, ...]:
    """The parameters of a layer, as Conv2d calls them, that the failure condition of a finding is about."""
    condition = finding.diagnosis.failure_condition
    names = _WORD.findall(condition.rule.text) if condition is not None else []
    return tuple(sorted({_parameter(name) for name in names if name in NAMES}))


def _parameter(name: str) -> str:
    plain = _SIDES.sub("", name)
    return _ARGUMENTS.get(name, _ARGUMENTS.get(plain, plain))


def _figures(finding: Finding) -> Iterator[Figure]:
    yield from failing_figures(finding)
    where = finding.diagnosis.localization
    if where is None:
        return
    for found in where.maps:
        yield Figure(as_svg(found), "Percent of the elements that are wrong in the case of the localization below")
