"""Fitting promises to results: the tightest that no result of a candidate contradicts, for all layers or by path.

No calls are made: the same outcomes are judged again under other profiles (`Trial.under`). What is exact depends on the
profile, so some elements are no longer judged then; whoever fits a promise has to ask the candidate again under it.
The bounds of fast algorithms are wide enough for errors of other kinds to hide in, above all those of Fourier
transforms, so that besides them the size of usual errors has to be that of transforms (`convcheck.numerics.precision`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final, TypeAlias

from convcheck.judging.precision_sampling import coarser_than_transforms
from convcheck.model.capabilities import Capabilities, ProfileKey
from convcheck.model.case import Case
from convcheck.model.paths import PARTITIONS, Path, on_path
from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck.model.verdicts import FAILURES, Verdict
from convcheck.model.work import is_large, regimes
from convcheck.numerics.promises import EDGES, PROPERTIES, Promise, Property, promises
from convcheck.oracles import PRECISION, RESULT, Trial, applicable, find, judge
from convcheck.oracles.support.trial import INTEGERS

_GROUPS, _KERNELS, _LAYOUTS, _MODES = PARTITIONS
Split: TypeAlias = tuple[Mapping[str, Callable[[Case], bool]], ...]
_SPLITS: Final[tuple[Split, ...]] = (
    (), (_GROUPS,), (_LAYOUTS,), (_KERNELS,), (_MODES,), (_GROUPS, _LAYOUTS), (_GROUPS, _KERNELS),
)  # fmt: skip
"""The partitions by which paths are told apart, the coarsest first."""

_KEPT: Final = 16
"""Trials of which it is kept what the reference makes of their data: of hundreds it would fill the memory."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What fits the results of one quantity of one dtype.

    Attributes:
        default: on all paths that are not named.
        paths: what differs there.
    """

    default: Promise
    paths: Mapping[Path, Promise] = field(default_factory=dict)

    def profiles(self, dtype: str, quantity: Quantity) -> dict[ProfileKey, Profile]:
        """What is to be declared."""
        found: dict[ProfileKey, Profile] = {(dtype, quantity): self.default.profile}
        return found | {(dtype, quantity, path): promise.profile for path, promise in self.paths.items()}

    @property
    def words(self) -> str:
        """What is given up, and where; empty if nothing is."""
        if not self.paths:
            return self.default.words
        default = self.default.words or "nothing given up"
        return "; ".join([default, *(f"{path}: {p.words or 'nothing given up'}" for path, p in self.paths.items())])


class Whole:
    """Trials with what the reference makes of their data, the last few: one is judged under promise after promise."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Trial, Trial]] = {}

    def __call__(self, trial: Trial) -> Trial:
        """The same trial, to be judged `under` any capabilities."""
        known = self._last.pop(id(trial), None)
        whole = _whole(trial) if known is None else known[1]
        self._last[id(trial)] = trial, whole
        if len(self._last) > _KEPT:
            del self._last[next(iter(self._last))]
        return whole


@dataclass(frozen=True, slots=True)
class Results:
    """Results of one quantity of one dtype, to which promises are fitted.

    Attributes:
        base: what was promised, and what is given up from.
        dtype: of all trials.
        quantity: whose results they are.
        failing: trials that contradict a promise that was tried.
        passing: others.
        kinds: only failures of these kinds (`kind_of`) count; None for all.
        known: the kinds of failures of a trial, by its identity, under a profile; filled as they are asked for.
        whole: gives a trial with what the reference makes of its data.
    """

    base: Capabilities
    dtype: str
    quantity: Quantity
    failing: list[Trial]
    passing: list[Trial]
    kinds: frozenset[str] | None = None
    known: dict[tuple[int, Profile], frozenset[str]] = field(default_factory=dict)
    whole: Whole = field(default_factory=Whole)

    @property
    def profile(self) -> Profile:
        """What was promised."""
        return self.base.profile(self.dtype, self.quantity)

    def of_path(self, path: Path) -> Results:
        """Those of the layers of one path."""
        failing, passing = ([t for t in some if on_path(t.case, path)] for some in (self.failing, self.passing))
        return replace(self, failing=failing, passing=passing)

    def contradicts(self, trial: Trial, profile: Profile) -> bool:
        """Whether a trial fails in the quantity, judged under a profile."""
        key = (id(trial), profile)
        if key not in self.known:
            promised = promising(self.base, {(self.dtype, self.quantity): profile})
            whole = self.whole(trial)
            found = frozenset(map(kind_of, failures(whole, promised, self.quantity)))
            transforms = profile.algorithm is not Algorithm.DIRECT and profile.algorithm is not self.profile.algorithm
            if transforms and coarser_than_transforms(whole, self.quantity, profile):
                found |= {RESULT}
            self.known[key] = found
        return bool(self.known[key] if self.kinds is None else self.known[key] & self.kinds)

    @property
    def explicable(self) -> bool:
        """Whether some promise explains each of the failing trials by itself."""
        possible = [p.profile for p in promises(self.profile, self.dtype, self.quantity)]
        return all(any(not self.contradicts(t, profile) for profile in possible) for t in self.failing)


def promising(capabilities: Capabilities, profiles: Mapping[ProfileKey, Profile]) -> Capabilities:
    """Capabilities with other promises in the quantities that are named, which they had no other promise in."""
    about = {key[:2] for key in profiles if not isinstance(key, str)}
    kept = {key: p for key, p in capabilities.profiles.items() if isinstance(key, str) or key[:2] not in about}
    return replace(capabilities, profiles={**kept, **profiles})


def failures(trial: Trial, capabilities: Capabilities, quantity: Quantity) -> tuple[Verdict, ...]:
    """The failing verdicts on one quantity of a trial whose calls have been made, under other capabilities."""
    made = {key.asked_by for key in trial.outcomes}
    able = (o for o in applicable(trial.case) if not o.redundant and (not o.has_own_calls or o.name in made))
    found = judge(trial.under(capabilities), tuple(able))
    return tuple(v for v in found if v.quantity == quantity and v.status in FAILURES)


def _whole(trial: Trial) -> Trial:
    if not trial.case.is_legal_call or is_large(trial.case):
        return trial
    whole = trial.under(trial.capabilities)
    for regime in regimes(trial.case):
        # made now, whoever judges it under other capabilities shares it
        whole.expected_integers if regime == INTEGERS else whole.expected_reals  # noqa: B018
    return whole


def kind_of(verdict: Verdict) -> str:
    """The kind of a failure in one of the quantities; wrong on integers and too far away on reals are one."""
    kind = find(verdict.oracle).kind
    return RESULT if kind == PRECISION else kind


def fit(results: Results) -> Fit | None:
    """The tightest promises that no trial contradicts, by as few paths as will do; None where there are none."""
    if not results.explicable:
        return None
    for properties, split in product((EDGES, PROPERTIES), _SPLITS):
        found = _by_paths(results, split, properties)
        if found is not None:
            return found
    return None


def fit_beside_defects(results: Results) -> Fit | None:
    """As `fit`, but trials that no promise explains are left out: they are defects, whatever is promised.

    Where there is a defect, its errors must not pass for lost precision, so only `EDGES` are given up then: by each
    path what explains most of its failing trials and is contradicted by none of those that pass.
    """
    if results.explicable:
        return fit(results)
    best: tuple[int, Fit] | None = None
    for split in _SPLITS:
        cells = {" ".join(names): results.of_path(" ".join(names)) for names in product(*split)}
        chosen = {cell: _explaining_most(here) for cell, here in cells.items() if here.failing or here.passing}
        explained = sum(count for count, _ in chosen.values())
        if explained > (best[0] if best else 0):
            best = (
                explained,
                _joined(results, {cell: promise for cell, (_, promise) in chosen.items()}, but_failing=True),
            )
    return best[1] if best else None


def _explaining_most(results: Results) -> tuple[int, Promise]:
    """The tightest of the promises that explain most failing trials and contradict no passing one; how many it does."""
    best = 0, Promise(results.profile, ())
    for promise in promises(results.profile, results.dtype, results.quantity, EDGES):
        explained = sum(not results.contradicts(t, promise.profile) for t in results.failing)
        if explained > best[0] and not any(results.contradicts(t, promise.profile) for t in results.passing):
            best = explained, promise
    return best


def _by_paths(results: Results, split: Split, properties: Sequence[Property]) -> Fit | None:
    """The tightest promise of each path; None if one of them has none."""
    found: dict[Path, Promise] = {}
    for cell in (" ".join(names) for names in product(*split)):
        here = results.of_path(cell)
        tightest = _tightest(here, properties)
        if tightest is None:
            return None
        if here.failing or here.passing:
            found[cell] = tightest
    return _joined(results, found)


def _tightest(results: Results, properties: Sequence[Property]) -> Promise | None:
    """The first promise of the lattice that none of the trials contradicts."""
    suspects = [*results.failing, *results.passing]
    for promise in promises(results.profile, results.dtype, results.quantity, properties):
        against = next((t for t in suspects if results.contradicts(t, promise.profile)), None)
        if against is None:
            return promise
        # what contradicts one promise contradicts the next: it is asked first
        suspects = [against, *(t for t in suspects if t is not against)]
    return None


def _joined(results: Results, found: Mapping[Path, Promise], *, but_failing: bool = False) -> Fit:
    """What most paths have in common as the default, and the paths of which it is not true.

    Args:
        results: what was fitted to.
        found: by path.
        but_failing: whether failing trials have no say in what is true.
    """
    nothing = Promise(results.profile, ())
    counted = Counter(promise.profile for promise in found.values())
    most = max(found.values(), key=lambda p: (counted[p.profile], len(p.given_up)), default=nothing)

    def differs(path: Path) -> bool:
        here = results.of_path(path)
        asked = here.passing if but_failing else (*here.failing, *here.passing)
        return any(results.contradicts(t, most.profile) for t in asked)

    return Fit(most, {path: p for path, p in found.items() if p.profile != most.profile and differs(path)})
