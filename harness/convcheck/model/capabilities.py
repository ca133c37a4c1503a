"""What a backend says it supports. The rest is not applicable: reported and counted, never hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import combinations
from typing import Any, Final, Literal, TypeAlias

from convcheck.model.case import LAYOUTS, Case, Layout
from convcheck.model.extensions import Extension, extension_of
from convcheck.model.paths import Path, on_path, overlap, problem, specificity
from convcheck.model.profiles import GRADIENTS, QUANTITIES, STRICT, Profile, Quantity
from convcheck.model.rules import Rule, RuleError, facts
from convcheck.model.transforms import Transform
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import PADDING_MODES, Arguments, PaddingMode

OfPath: TypeAlias = tuple[str, Quantity, Path]
ProfileKey: TypeAlias = str | tuple[str, Quantity] | OfPath
"""What a promise is for: a dtype, one quantity of it, or one path of that (`convcheck.model.paths`)."""


class CapabilityError(ConvcheckError, ValueError):
    """A backend declares something that does not exist or contradicts its methods."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a backend says it supports, and the precision that it promises.

    Attributes:
        dtypes: names from `convcheck_reference.formats.DTYPES`.
        padding_modes: the padding modes.
        layouts: the memory layouts that may reach it.
        gradients: whether `conv2d_backward` gives gradients.
        partial_gradients: whether `conv2d_partial_backward` gives the gradients of some operands alone.
        autograd: whether `recorded` gives functions that torch's autograd differentiates: then gradients are asked for
            in every way in which torch can be asked.
        double_backward: whether `conv2d_double_backward` gives gradients of the gradients; "tried" where nobody knows:
            what it gives is judged then, and that it raises is not applicable.
        transforms: the transforms of a function that it goes through, of `convcheck.model.transforms`; for backends
            with `autograd`.
        module: whether `make_module` builds layers.
        groups: whether groups > 1 is supported.
        dilation: whether dilation > 1 is supported.
        string_padding: whether padding may be 'same' and 'valid'.
        unbatched: whether (C, H, W) inputs are supported.
        empty_batch: whether a batch of 0 images is supported.
        nonfinite: whether NaN and ±Inf go through as IEEE 754 arithmetic prescribes.
        constant_weight: whether weight and bias are constants to it, as in a compiled graph: they are never changed
            in place, nor their memory used for others while a call goes on.
        thread_safe: whether several threads may call it at the same time, each with tensors of its own.
        memory_format: whether results lie in memory as torch's do: in NHWC order where x or the weight does.
        fork_safe: whether a process that has called it may fork, and the child call it as well.
        streams: whether calls may be made on another stream than the default one of its device; None, by default, means
            wherever its device has streams.
        graphs: whether a call may be captured in a graph of its device, and replayed on other contents.
        validates: whether it refuses illegal arguments; if not, none is put to it, save those of `extensions`.
        refuses_bools: whether a bool where a number belongs is refused. In Python a bool is an int, so that bindings of
            other languages rarely tell them apart.
        extensions: what it documents where torch refuses, and is judged by.
        excludes: rules (`convcheck.model.rules`) for legal layers that it does not take, as "in_channels < 4" or
            "dtype == 'float16' and padding_mode == 'reflect'".
        profiles: the promised profile by dtype, by (dtype, quantity) where passes differ, or by (dtype, quantity, path)
            where classes of layers do: ("float16", "output", "depthwise contiguous"). The most specific holds; by
            default `convcheck.model.profiles.STRICT`.

    Raises:
        CapabilityError: an unknown name, or nothing declared at all.
    """

    dtypes: tuple[str, ...] = ("float32",)
    padding_modes: tuple[PaddingMode, ...] = PADDING_MODES
    layouts: tuple[Layout, ...] = LAYOUTS
    gradients: bool = False
    partial_gradients: bool = False
    autograd: bool = False
    double_backward: bool | Literal["tried"] = False
    transforms: tuple[Transform, ...] = ()
    module: bool = False
    groups: bool = True
    dilation: bool = True
    string_padding: bool = True
    unbatched: bool = True
    empty_batch: bool = True
    nonfinite: bool = True
    constant_weight: bool = False
    thread_safe: bool = True
    memory_format: bool = False
    fork_safe: bool = False
    streams: bool | None = None
    graphs: bool = False
    validates: bool = True
    refuses_bools: bool = True
    extensions: tuple[Extension, ...] = ()
    excludes: tuple[str, ...] = ()
    # a dict has no hash; capabilities that differ in their profiles alone are unequal with the same hash
    profiles: Mapping[ProfileKey, Profile] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, given, known in (
            ("dtypes", self.dtypes, tuple(DTYPES)),
            ("padding_modes", self.padding_modes, PADDING_MODES),
            ("layouts", self.layouts, LAYOUTS),
            ("extensions", self.extensions, tuple(map(str, Extension))),
            ("transforms", self.transforms, tuple(map(str, Transform))),
        ):
            some = _texts(name, given)
            if not set(some) <= set(known) or not (some or name in ("extensions", "transforms")):
                raise CapabilityError(f"capabilities: {name}={given!r}; expected a tuple of some of {known}")
            object.__setattr__(self, name, some)
        _check_truths(self)
        if set(self.layouts) == {"broadcast"}:
            raise CapabilityError("capabilities: layouts=('broadcast',) is of gradients only; declare one of x as well")
        if not isinstance(self.profiles, Mapping):
            raise CapabilityError(f"capabilities: profiles={self.profiles!r}; expected a dict of profiles")
        for key, profile in self.profiles.items():
            _check_profile(key, profile)
        object.__setattr__(self, "profiles", {_plain(key): profile for key, profile in self.profiles.items()})
        _check_overlaps(self.profiles)
        object.__setattr__(self, "extensions", tuple(map(Extension, self.extensions)))
        object.__setattr__(self, "transforms", tuple(map(Transform, self.transforms)))
        if {Extension.SAME_UPPER, Extension.SAME_LOWER} <= set(self.extensions):
            raise CapabilityError(
                "capabilities: extensions: 'same' with a stride is same-upper or same-lower, not both"
            )
        object.__setattr__(self, "excludes", _texts("excludes", self.excludes))
        for rule in self.excludes:
            try:
                Rule(rule)
            except RuleError as error:
                raise CapabilityError(f"capabilities: excludes: {error}") from error

    def profile(self, dtype: str, quantity: Quantity) -> Profile:
        """The profile promised for one quantity of one dtype, on paths that have none of their own."""
        by_dtype = self.profiles.get(dtype, STRICT[dtype])
        return self.profiles.get((dtype, quantity), by_dtype)

    def promised(self, case: Case, quantity: Quantity) -> Profile:
        """The profile promised for one quantity of a legal case: that of the most specific path."""
        found = [path for path in self.paths(case.dtype, quantity) if on_path(case, path)]
        if not found:
            return self.profile(case.dtype, quantity)
        return self.profiles[case.dtype, quantity, max(found, key=specificity)]

    def paths(self, dtype: str, quantity: Quantity) -> tuple[Path, ...]:
        """The paths that have a promise of their own in one quantity of one dtype."""
        return self._paths.get((dtype, quantity), ())

    @cached_property
    def _paths(self) -> Mapping[tuple[str, Quantity], tuple[Path, ...]]:
        found: dict[tuple[str, Quantity], tuple[Path, ...]] = {}
        for dtype, quantity, path in _of_paths(self.profiles):
            found[dtype, quantity] = (*found.get((dtype, quantity), ()), path)
        return found

    def unsupported(self, case: Case) -> str | None:
        """Why a case is not applicable, in words; None if it is."""
        reasons = (
            (case.dtype not in self.dtypes, "dtype {0.dtype} is not declared"),
            (
                case.arguments.padding_mode in PADDING_MODES and case.arguments.padding_mode not in self.padding_modes,
                "padding_mode {0.arguments.padding_mode} is not declared",
            ),
            *(
                (layout not in self.layouts, f"layout {layout} is not declared")
                for layout in case.layouts[: 3 if self.gradients else 2]
            ),
            (
                case.layout_bias not in ("contiguous", *self.layouts),  # a plain bias goes with all others
                "layout {0.layout_bias} is not declared",
            ),
            (case.entry == "module" and not self.module, "modules are not declared"),
            (not self.groups and case.arguments.groups != 1, "groups are not declared"),
            (not self.dilation and case.arguments.dilation not in (1, (1, 1)), "dilation is not declared"),
            (
                not self.string_padding and isinstance(case.arguments.padding, str),
                "string padding is not declared",
            ),
            (not self.unbatched and case.unbatched, "unbatched inputs are not declared"),
            (not self.empty_batch and case.batch == 0, "empty batches are not declared"),
            (not self.nonfinite and case.regime == "special", "non-finite values are not declared"),
        )
        found = next((reason.format(case) for holds, reason in reasons if holds), None)
        return found or (self._excluded(case) if case.violation is None else self._not_validated(case))

    def extension_of(self, case: Case) -> Extension | None:
        """The declared extension that an illegal case makes use of; None for none, and for legal cases."""
        return extension_of(case, self.extensions) if self.extensions and case.violation is not None else None

    def _excluded(self, case: Case) -> str | None:
        if not self.excludes:
            return None
        found = facts(case)
        return next((f"excluded: {rule}" for rule in self.excludes if Rule(rule).holds(found)), None)

    def _not_validated(self, case: Case) -> str | None:
        if not self.refuses_bools and _has_bools(case.arguments):
            return "a bool for a number: it is an integer of Python's to the backend"
        if self.validates or self.extension_of(case):
            return None
        return "illegal arguments: the backend does not validate"

    def supports_quantity(self, quantity: Quantity) -> bool:
        """Whether the backend computes this quantity at all."""
        return quantity not in GRADIENTS or self.gradients


def _has_bools(arguments: Arguments) -> bool:
    numbers = (arguments.kernel_size, arguments.stride, arguments.padding, arguments.dilation, arguments.groups)
    return any(isinstance(n, bool) for given in numbers for n in (given if isinstance(given, tuple) else (given,)))


def _texts(name: str, given: object) -> tuple[str, ...]:
    """What is declared as several texts."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise CapabilityError(f"capabilities: {name}={given!r}; expected a tuple of texts")
    some = tuple(given)
    if not all(isinstance(text, str) for text in some):
        raise CapabilityError(f"capabilities: {name}={given!r}; expected a tuple of texts")
    return some


_MORE_THAN_TRUTHS: Final[Mapping[str, tuple[object, ...]]] = {"double_backward": ("tried",), "streams": (None,)}


def _check_truths(declared: Capabilities) -> None:
    """Refuse what is declared neither true nor false where nothing else has a meaning."""
    for item in fields(declared):
        if str(item.type).startswith("bool"):
            value, others = getattr(declared, item.name), _MORE_THAN_TRUTHS.get(item.name, ())
            if not isinstance(value, bool) and value not in others:
                expected = " or ".join(map(repr, (True, False, *others)))
                raise CapabilityError(f"capabilities: {item.name}={value!r}; expected {expected}")


def declaration(profiles: Mapping[ProfileKey, Profile]) -> str:
    """Profiles as an argument of `Capabilities`, to be pasted."""
    lines = [f"    {_shown(key)}: {profile.declaration}," for key, profile in profiles.items()]
    return "\n".join(["profiles={", *lines, "}"]) if lines else "profiles={}"


def _shown(key: ProfileKey) -> str:
    """A key as it is written in code."""
    if isinstance(key, str):
        return f'"{key}"'
    return "(" + ", ".join(f'"{part}"' for part in key) + ")"


def _of_paths(profiles: Mapping[ProfileKey, Profile]) -> Iterator[OfPath]:
    for key in profiles:
        if not isinstance(key, str) and len(key) == 3:
            yield key


def _plain(key: ProfileKey) -> ProfileKey:
    """A key with the names of its path in one order."""
    if isinstance(key, str) or len(key) == 2:
        return key
    dtype, quantity, path = key
    return dtype, quantity, overlap(path, path) or path


def _check_profile(key: ProfileKey, profile: Profile) -> None:
    parts: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
    texts = 0 < len(parts) <= 3 and all(isinstance(part, str) for part in parts)
    dtype, quantity, path = (*parts, *("", "output", "dense")[len(parts) :]) if texts else ("", "", "")
    if dtype not in DTYPES or quantity not in QUANTITIES or not isinstance(profile, Profile):
        raise CapabilityError(
            f"capabilities: profiles[{key!r}]={profile!r}; expected a Profile under a dtype of {tuple(DTYPES)}, "
            f"a pair of such a dtype and one of {QUANTITIES}, or both and a path"
        )
    wrong = problem(path)
    if wrong:
        raise CapabilityError(f"capabilities: profiles[{key!r}]: {path!r} is no path: {wrong}")


def _check_overlaps(profiles: Mapping[ProfileKey, Profile]) -> None:
    """Of two paths that share layers, one has to be more specific, or what they share has a promise of its own."""
    for one, other in combinations(_of_paths(profiles), 2):
        both = overlap(one[2], other[2])
        if one[:2] != other[:2] or both is None or both in (one[2], other[2]):
            continue
        shared = (*one[:2], both)
        if shared not in profiles and not profiles[one].promises_as(profiles[other]):
            raise CapabilityError(
                f"capabilities: profiles: layers that are {both} are promised something as {one[2]!r} and something "
                f"else as {other[2]!r}; declare profiles[{shared!r}] as well"
            )
