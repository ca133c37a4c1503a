"""Characterization: the tightest promises that a candidate keeps, found on some cases and checked on fresh ones.

Every result is judged under the strictest promise first. What contradicts it is put to the lattice of promises
(`convcheck.numerics.promises`), for all layers of a dtype and quantity or by path, and what fits is asked of the
candidate again, with the data that it calls for. What no promise explains is said as well, and stays a defect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from convcheck.execution import Candidate, PromisingCandidate
from convcheck.judging.blocks import BLOCK, generate
from convcheck.judging.judge import first_causes
from convcheck.model.capabilities import Capabilities, ProfileKey, declaration
from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES, Profile, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import Trial, due, extra_calls, judge
from convcheck.triage.promise_fitting import Fit, Results, Whole, fit_beside_defects, kind_of, promising

SEEDS: Final = 3
"""Fresh seeds at which what was found is checked."""

_ROUNDS: Final = 5
"""Times that promises are fitted anew to what contradicted them."""

_REMEMBERED: Final = 12
"""Failing trials of a kind that are fitted to, of each round: all cases are asked again under what fits them."""

_PASSING: Final = 60
"""Passing trials that are fitted to."""

Progress: TypeAlias = Callable[[str], None]
OfQuantity: TypeAlias = tuple[str, Quantity]


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Failures that no promise explains, of one oracle in one quantity.

    Attributes:
        dtype: of the cases.
        verdict: the first.
        token: the case of it.
        cases: how many fail so.
    """

    dtype: str
    verdict: Verdict
    token: str
    cases: int


@dataclass(frozen=True, slots=True)
class Characterization:
    """What a candidate keeps.

    Attributes:
        profiles: the promises that have to be declared: those that give up something.
        given_up: by dtype and quantity, what they give up, in words.
        judged: by dtype and quantity, the fresh cases that pass under the promise found.
        unexplained: what fails under it in fresh cases.
    """

    profiles: Mapping[ProfileKey, Profile] = field(default_factory=dict)
    given_up: Mapping[OfQuantity, str] = field(default_factory=dict)
    judged: Mapping[OfQuantity, int] = field(default_factory=dict)
    unexplained: tuple[Unexplained, ...] = ()

    @property
    def declaration(self) -> str:
        """The promises as an argument of `Capabilities`, to be pasted."""
        return declaration(self.profiles)


def characterize(
    candidate: Candidate,
    *,
    seed: int,
    examples: int,
    dtypes: Sequence[str] = (),
    progress: Progress = lambda _: None,
) -> Characterization:
    """The tightest promises of a candidate.

    Args:
        candidate: it is called.
        seed: of the cases; those after it are the fresh ones.
        examples: cases of each dtype, at each seed.
        dtypes: only these; by default all that it declares.
        progress: told what is being done.
    """
    strict = replace(candidate.capabilities, profiles={})
    wanted = [dtype for dtype in strict.dtypes if not dtypes or dtype in dtypes]
    found = [_OneDtype(candidate, strict, dtype, progress).characterized(seed, examples) for dtype in wanted]
    return Characterization(
        {key: profile for each in found for key, profile in each.profiles.items()},
        {key: words for each in found for key, words in each.given_up.items()},
        {key: cases for each in found for key, cases in each.judged.items()},
        tuple(failure for each in found for failure in each.unexplained),
    )


class _OneDtype:
    """The characterization of one dtype in the making."""

    def __init__(self, candidate: Candidate, strict: Capabilities, dtype: str, progress: Progress) -> None:
        self._candidate = candidate
        self._strict = strict
        self._dtype = dtype
        self._progress = progress
        self._fits: dict[Quantity, Fit] = {}
        self._failing: dict[Quantity, dict[str, list[Trial]]] = {quantity: {} for quantity in QUANTITIES}
        self._passing: list[Trial] = []
        self._whole = Whole()
        self._known: dict[Quantity, dict[tuple[int, Profile], frozenset[str]]] = {}

    def characterized(self, seed: int, examples: int) -> Characterization:
        """Fitted to the cases of the seed, then checked on those of the seeds after it."""
        drawn = [tuple(_drawn(self._strict, self._dtype, seed + more, examples)) for more in range(SEEDS + 1)]
        self._settled(drawn[0])
        verdicts = self._settled([case for cases in drawn[1:] for case in cases])
        failing = [(case, v) for case, found in verdicts for v in first_causes(found)]
        gives_up = {q: found for q, found in self._fits.items() if found.words}
        return Characterization(
            {key: profile for q, found in gives_up.items() for key, profile in found.profiles(self._dtype, q).items()},
            {(self._dtype, q): found.words for q, found in gives_up.items()},
            {(self._dtype, q): _passing(verdicts, q) for q in QUANTITIES if self._strict.supports_quantity(q)},
            tuple(_grouped(self._dtype, failing)),
        )

    def _settled(self, cases: Sequence[Case]) -> list[tuple[Case, tuple[Verdict, ...]]]:
        """The verdicts on cases, under promises that are fitted to them until they no longer change."""
        for _ in range(_ROUNDS):
            given_up = ", ".join(dict.fromkeys(f.words for f in self._fits.values() if f.words))
            self._progress(f"{self._dtype}, {len(cases)} cases: {given_up or 'nothing given up'}")
            found = self._asked(cases)
            if not self._fitted():
                break
        return found

    def _asked(self, cases: Sequence[Case]) -> list[tuple[Case, tuple[Verdict, ...]]]:
        """The verdicts on cases under what fits so far; what fails is remembered, and at first what passes."""
        profiles = {key: p for q, found in self._fits.items() for key, p in found.profiles(self._dtype, q).items()}
        candidate = PromisingCandidate(self._candidate, promising(self._strict, profiles))
        first, judged = not self._passing, []
        remembered: Counter[tuple[str, str]] = Counter()
        for case in cases:
            trial, verdicts = _tried(candidate, case)
            wrong = [v for v in first_causes(verdicts) if v.quantity in QUANTITIES]
            for verdict in wrong:
                remembered[verdict.quantity, kind_of(verdict)] += 1
                if remembered[verdict.quantity, kind_of(verdict)] > _REMEMBERED:
                    continue
                of_quantity = self._failing[_quantity(verdict)]
                of_quantity.setdefault(kind_of(verdict), []).append(trial.lean())
            if first and not wrong and len(self._passing) < _PASSING:
                self._passing.append(trial.lean())
            judged.append((case, verdicts))
        return judged

    def _fitted(self) -> bool:
        """Fit the promises to all failures so far; whether one has changed."""
        before = dict(self._fits)
        for quantity, by_kind in self._failing.items():
            if not by_kind:
                continue
            # what no promise explains by itself is no matter of promises, and must not hide what is
            alone = {kind: self._fit(quantity, (kind,)) for kind in by_kind}
            found = self._fit(quantity, tuple(kind for kind, fits in alone.items() if fits is not None))
            if found is None:
                self._fits.pop(quantity, None)
            else:
                self._fits[quantity] = found
        return self._fits != before

    def _fit(self, quantity: Quantity, kinds: Sequence[str]) -> Fit | None:
        failing = [trial for kind in kinds for trial in self._failing[quantity][kind]]
        if not failing:
            return None
        known = self._known.setdefault(quantity, {})
        about = Results(
            self._strict, self._dtype, quantity, failing, self._passing, frozenset(kinds), known, self._whole
        )
        return fit_beside_defects(about)


def _drawn(capabilities: Capabilities, dtype: str, seed: int, examples: int) -> Iterator[Case]:
    """Legal cases of one dtype that enter by the function."""
    for block in range(-(-examples // BLOCK)):
        size = min(BLOCK, examples - block * BLOCK)
        for case in generate(capabilities, (dtype,), run_seed=seed, block=block, size=size):
            if case.is_legal_call and capabilities.unsupported(case) is None:
                yield case


def _tried(candidate: Candidate, case: Case) -> tuple[Trial, tuple[Verdict, ...]]:
    """A trial after the calls of every case and of the oracles that are due, and the verdicts on it."""
    trial, oracles = Trial(case, candidate.capabilities), due(case)
    calls = {**trial.calls, **extra_calls(trial, oracles)}
    done = trial.with_outcomes(dict(zip(calls, candidate.call_all(tuple(calls.values())), strict=True)))
    return done, judge(done, oracles)


def _passing(verdicts: Sequence[tuple[Case, tuple[Verdict, ...]]], quantity: Quantity) -> int:
    passed = ({v.status for v in found if v.quantity == quantity} for _, found in verdicts)
    return sum(Status.PASS in statuses and Status.FAIL not in statuses for statuses in passed)


def _grouped(dtype: str, failing: Sequence[tuple[Case, Verdict]]) -> Iterator[Unexplained]:
    """Failures of one oracle in one quantity as one."""
    groups: dict[tuple[str, str, Status], list[tuple[Case, Verdict]]] = {}
    for case, verdict in failing:
        groups.setdefault((verdict.oracle, verdict.quantity, verdict.status), []).append((case, verdict))
    for found in groups.values():
        case, verdict = min(found, key=lambda pair: (len(pair[0].token), pair[0].token))
        yield Unexplained(dtype, verdict, case.token, len(found))


def _quantity(verdict: Verdict) -> Quantity:
    return next(q for q in QUANTITIES if q == verdict.quantity)
