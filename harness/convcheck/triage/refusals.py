"""Refusals: what a candidate seems not to support, and how it would say so.

A candidate that raises for whatever needs one feature, and for nothing else about a plain layer, is most likely one
that lacks the feature and does not declare it. All such refusals are one finding, which prints the declaration; the
rest are looked at as any failure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from convcheck.judging.tally import Failure
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.diagnosis import Diagnosis, FailureCondition
from convcheck.model.rules import OF_STRIDES, Rule, facts
from convcheck.model.token import read
from convcheck.triage.causes import Cause, SmallestCase, size
from convcheck.triage.diagnosis.breaking import MOST, attempts
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.diagnosis.failure_condition import measured
from convcheck.triage.diagnosis.samples import Conjunction, Samples
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe
from convcheck.triage.smallest_case import repeated
from convcheck.triage.standalone import shown_by_one_call, standalone_call

_PLAIN = "v1,x=1x2x7x6,out=2,k=3"

_IMAGES = "v1,x=2x2x7x6,out=2,k=3"  # no axis of a single entry, which has any stride

_STRIDED: Final = {"permuted": "transposed", "gaps": "step", "repeated": "expanded", "reversed": "reversed"}
"""What strides of another layout than C order are, each with a layout that has such ones and no others."""


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that a backend may declare that it does not support.

    Attributes:
        words: what it is.
        keyword: of `Capabilities`, with its value; of two with the same argument the second lacks more.
        needed: holds for the cases that need it.
        plain: cases that need it and nothing else; all of them are refused where it is lacking.
        besides: the same for others that need it, where it may be lacking as well: each condition with its case.
    """

    words: str
    keyword: str
    needed: str
    plain: tuple[Case, ...]
    besides: tuple[tuple[str, Case], ...] = ()

    @property
    def argument(self) -> str:
        """Which argument of `Capabilities` declares it."""
        return self.keyword.partition("=")[0]

    def needed_in(self, failures: Sequence[Failure]) -> bool:
        """Whether any of some failures needs it."""
        rule = Rule(" or ".join((self.needed, *(text for text, _ in self.besides))))
        return any(rule.holds(facts(failure.case)) for failure in failures)

    def told_by(self, refused: Callable[[Case], bool]) -> _Feature:
        """The same, needed also by what is refused of the others."""
        also = [(needed, case) for needed, case in self.besides if refused(case)]
        needed = " or ".join((self.needed, *(text for text, _ in also)))
        return replace(self, needed=needed, plain=(*self.plain, *(case for _, case in also)), besides=())


def declaration(
    probe: Probe, signature: FailureSignature, failures: Sequence[Failure], *, most: int = MOST
) -> Cause | None:
    """The one cause of all refusals of what a candidate seems not to support; None if there is no such thing.

    Args:
        probe: of the candidate.
        signature: of refusals.
        failures: legal layers that were refused.
        most: attempts to break the rule that follows from it.
    """
    if signature.asked_by:  # a call beyond the usual is refused, for layers that are supported
        return None

    def refused(case: Case) -> bool:
        return probe.failing(case, signature) is not None

    told = (
        feature.told_by(refused)
        for feature in _features(probe.candidate.capabilities)
        if feature.needed_in(failures) and all(map(refused, feature.plain))
    )
    lacking = [feature for feature in told if feature.needed_in(failures)]  # not only by what turns out to be taken
    plain = replace(read(_PLAIN), dtype=probe.candidate.capabilities.dtypes[0])
    lacking = list({feature.argument: feature for feature in lacking}.values())  # one without any layout lacks that
    if not lacking or refused(plain):
        return None
    rule = Rule(" or ".join(feature.needed for feature in lacking))
    explains = sorted((f for f in failures if rule.holds(facts(f.case))), key=size)
    case = lacking[0].plain[0]
    verdict = probe.failing(case, signature) or explains[0].verdict
    smallest = repeated(probe, signature, SmallestCase(first=explains[0], case=case, verdict=verdict))
    condition = _condition(probe, signature, rule, [c for feature in lacking for c in feature.plain], most)
    standalone = shown_by_one_call(probe, case, signature, smallest.verdict)
    return Cause(
        signature=signature,
        smallest=smallest,
        examination=Examination(Diagnosis(failure_condition=condition, declaration=_in_words(lacking))),
        standalone=standalone,
        call=standalone_call(probe.blank(case), smallest.verdict) if standalone else None,
        explains=tuple(explains),
    )


def _condition(
    probe: Probe, signature: FailureSignature, rule: Rule, known: Sequence[Case], most: int
) -> FailureCondition:
    """The rule with what attempts to break it came to."""
    samples, rng = Samples(), np.random.default_rng(zlib.crc32(rule.text.encode()))
    drawn = attempts(Conjunction((rule.text,)), known, samples, rng)
    return measured(rule, samples.ask(drawn, lambda case: probe.label(case, signature), most))


def _in_words(lacking: Sequence[_Feature]) -> str:
    *others, last = [feature.words for feature in lacking]
    words = f"{', '.join(others)} and {last}" if others else last
    keywords = ", ".join(dict.fromkeys(feature.keyword for feature in lacking))
    return f"it seems not to support {words}: if that is so, declare @convcheck.capabilities({keywords})"


def _features(capabilities: Capabilities) -> Iterator[_Feature]:
    """What the capabilities declare as supported, and might not."""
    dtype = capabilities.dtypes[0]

    def plain(*changes: str) -> tuple[Case, ...]:
        cases = tuple(replace(read(change), dtype=dtype) for change in changes)
        return tuple(case for case in cases if capabilities.unsupported(case) is None)

    def others(layouts: Mapping[str, str]) -> tuple[tuple[str, Case], ...]:
        return tuple(
            (trait, case)
            for trait, layout in layouts.items()
            for case in plain(f"{_IMAGES},layout-{trait.partition('_')[2]}={layout}")
        )

    found = [
        _Feature(
            "'same' and 'valid'", "string_padding=False", "padding_same or padding_valid",
            plain(f"{_PLAIN},p=same", f"{_PLAIN},p=valid"),
        ),
        _Feature(
            "unbatched inputs", "unbatched=False", "unbatched",
            plain("v1,x=2x7x6,out=2,k=3", "v1,x=1x4x4,out=1,k=1"),
        ),
        _Feature("groups", "groups=False", "groups > 1", plain(f"{_PLAIN},g=2", "v1,x=1x4x7x6,out=4,k=1,g=2")),
        _Feature(
            "dilation", "dilation=False", "dilation_h > 1 or dilation_w > 1",
            plain(f"{_PLAIN},d=2", f"{_PLAIN},d=1x2"),
        ),
        _Feature(
            "empty batches", "empty_batch=False", "batch == 0",
            plain("v1,x=0x2x7x6,out=2,k=3", "v1,x=0x1x4x4,out=1,k=1"),
        ),
        _Feature(
            "negative strides", "layouts=convcheck.NON_NEGATIVE_STRIDES", "reversed_x",
            plain(f"{_IMAGES},layout-x=reversed", f"{_IMAGES},layout-x=reversed_channels"),
            others({f"reversed_{name}": "reversed" for name in ("weight", "grad", "bias")}),
        ),
        _Feature(
            "strides of other layouts than C order", 'layouts=("contiguous",)',
            " or ".join(f"{trait}_x" for trait in _STRIDED),
            plain(*(f"{_IMAGES},layout-x={layout}" for layout in _STRIDED.values())),
            others({
                f"{trait}_{name}": layout
                for name in ("weight", "grad", "bias") for trait, layout in _STRIDED.items()
                if f"{trait}_{name}" in OF_STRIDES
            }),
        ),
    ]  # fmt: skip
    yield from (feature for feature in found if feature.plain)
