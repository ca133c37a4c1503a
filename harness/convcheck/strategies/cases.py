"""The strategy of cases: a layer, its input, and how its data look and lie in memory."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from hypothesis import strategies as st

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case, Regime
from convcheck.model.extensions import Extension
from convcheck.model.ladder import Ladder
from convcheck.strategies.conjunctions import CONJUNCTIONS
from convcheck.strategies.covering_array import ARRAYS, ROWS, covering_array
from convcheck.strategies.draws import BASE, Draw, from_hypothesis, pick
from convcheck.strategies.illegal import MODULE_ONLY, OF_EXTENSIONS, TURNS, WAYS, break_case
from convcheck.strategies.layers import Plan, common, deep, medium, small, spell
from convcheck.strategies.layouts import in_memory, placed
from convcheck.strategies.parameter_model import Space
from convcheck.strategies.plain import PlainSpace
from convcheck.strategies.reaching import reaching
from convcheck.strategies.realistic import TURNS as STRUCTURES
from convcheck.strategies.realistic import realistic
from convcheck.strategies.steered import SEEDS, steered

_DTYPES: Final = (
    *("float32",) * 10, *("float64",) * 3, *("float16",) * 3, *("bfloat16",) * 3, "complex64", "complex128",
)  # fmt: skip
_REGIMES: Final[tuple[Regime, ...]] = (
    "reals", "reals", "reals", "reals", "reals", "wide", "positive", "cancelling", "mixed", "special",
    "large", "overflow", "subnormal",
)  # fmt: skip

KINDS: Final = (
    *("plain",) * 21, "small", "conjunction", "common", "deep", "medium", "realistic", "steered", *("illegal",) * 4,
    "reach",
)  # fmt: skip
"""How a case is built: the first choice of all. Most are plain where Hypothesis chooses: it climbs and shrinks best
where every parameter is a choice of its own. An eighth is illegal."""


_DEFAULT: Final = Capabilities()
"""What is drawn where nothing is declared: float32, and all that the specification has but modules."""


def cases(
    capabilities: Capabilities = _DEFAULT, dtypes: tuple[str, ...] | None = None, ladder: Ladder = Ladder.STANDARD
) -> st.SearchStrategy[Case]:
    """Cases that a backend with these capabilities has to handle; some are illegal.

    Args:
        capabilities: what is drawn at all; by default float32 and every parameter of a function.
        dtypes: restricts the dtypes further.
        ladder: how far some of them reach.
    """
    return chosen_cases(capabilities, dtypes, ladder).map(itemgetter(0))


@st.composite
def chosen_cases(
    draw: Any, capabilities: Capabilities, dtypes: tuple[str, ...] | None = None, ladder: Ladder = Ladder.STANDARD
) -> tuple[Case, tuple[int, ...]]:
    """As `cases`, each with the choices that it was made of: others may make the same case.

    Args:
        draw: given by Hypothesis.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        ladder: how far some of them reach.
    """
    drawn: list[int] = []

    def draw_and_note(strategy: Any) -> Any:
        drawn.append(draw(strategy))
        return drawn[-1]

    choose = from_hypothesis(draw_and_note)
    case = _of_any_kind(choose, capabilities, dtypes, ladder)
    # to Hypothesis, fewer choices are simpler: as many as a plain case takes, so that it shrinks to those
    for _ in range(_plain_choices(capabilities, dtypes) + 1 - len(drawn)):
        choose(0, BASE - 1)
    return case, tuple(drawn)


@st.composite
def unpadded_cases(
    draw: Any, capabilities: Capabilities, dtypes: tuple[str, ...] | None = None, ladder: Ladder = Ladder.STANDARD
) -> Case:
    """As `cases`, without the choices that only tell Hypothesis which cases are simpler: where nothing is shrunk.

    Args:
        draw: given by Hypothesis.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        ladder: how far some of them reach.
    """
    return _of_any_kind(from_hypothesis(draw), capabilities, dtypes, ladder)


def _of_any_kind(draw: Draw, capabilities: Capabilities, dtypes: tuple[str, ...] | None, ladder: Ladder) -> Case:
    kind = pick(draw, KINDS)
    if kind == "plain" or (kind == "illegal" and not ways(capabilities)):
        return _plain_space(capabilities, dtypes).draw(draw)
    if kind == "reach":
        return reaching(draw, capabilities, _wanted(capabilities, dtypes), ladder)
    if kind == "steered":
        space = Space.of(capabilities, dtypes)
        row = draw(0, ARRAYS * ROWS - 1)
        return steered(draw, space, covering_array(space, row // ROWS).row(row % ROWS), regimes(capabilities))
    if kind == "illegal":
        way, turn = pick(draw, ways(capabilities)), draw(0, TURNS - 1)
        return free_case(draw, capabilities, dtypes, way, turn)
    return free_case(draw, capabilities, dtypes, kind, draw(0, STRUCTURES - 1) if kind == "realistic" else 0)


@st.composite
def plain_cases(draw: Any, capabilities: Capabilities = _DEFAULT, dtypes: tuple[str, ...] | None = None) -> Case:
    """Legal cases, every parameter an independent choice: less telling ones, which shrink further.

    Args:
        draw: given by Hypothesis.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
    """
    return _plain_space(capabilities, dtypes).draw(from_hypothesis(draw))


@lru_cache(maxsize=8)
def _plain_space(capabilities: Capabilities, dtypes: tuple[str, ...] | None) -> PlainSpace:
    """What plain cases are drawn from."""
    return PlainSpace.of(capabilities, dtypes).weighted()


@lru_cache(maxsize=8)
def _plain_choices(capabilities: Capabilities, dtypes: tuple[str, ...] | None) -> int:
    """How many choices a plain case takes, its kind not counted."""
    return len(_plain_space(capabilities, dtypes).most)


def ways(capabilities: Capabilities) -> tuple[str, ...]:
    """The ways in which a case for a backend can be illegal; of one that does not validate, those of its extensions."""
    declared = {OF_EXTENSIONS[extension] for extension in capabilities.extensions}
    refused = set(WAYS) - {OF_EXTENSIONS[Extension.ASYMMETRIC_PADDING]} if capabilities.validates else set()
    return tuple(way for way in WAYS if way in declared | refused and (capabilities.module or way not in MODULE_ONLY))


def free_case(draw: Draw, capabilities: Capabilities, dtypes: tuple[str, ...] | None, kind: str, turn: int = 0) -> Case:
    """A case of a kind, or illegal in a way, every parameter drawn for itself; ways and realistic layers have turns."""
    wanted = _wanted(capabilities, dtypes)
    real = tuple(d for d in wanted if not d.startswith("complex"))
    dtype = pick(draw, real if real and kind in WAYS else wanted)
    regime, memory = pick(draw, regimes(capabilities)), placed(draw, capabilities.layouts)
    seed = draw(0, SEEDS - 1)
    plan = _plan(draw, capabilities, kind, turn)
    if not plan.supported(capabilities):
        plan = small(draw, capabilities)
    case = Case(*spell(draw, plan), dtype, regime, seed=seed, **in_memory(memory, bias=plan.bias))
    if kind in WAYS:
        return break_case(draw, case, kind, turn, module=capabilities.module)
    # how complex parameters are initialised is not documented
    if capabilities.module and case.dtype in real and draw(0, 5) == 5:
        # its weight is its own
        return replace(case, entry="module", regime="reals", layouts=(memory.layouts[0],) * 3, layout_bias="contiguous")
    return case


def _wanted(capabilities: Capabilities, dtypes: tuple[str, ...] | None) -> tuple[str, ...]:
    """The dtypes to draw, the common ones more often."""
    return tuple(d for d in _DTYPES if d in (dtypes or capabilities.dtypes))


def regimes(capabilities: Capabilities) -> tuple[Regime, ...]:
    """The data to draw, the plain ones more often."""
    return tuple(regime for regime in _REGIMES if capabilities.nonfinite or regime != "special")


def _plan(draw: Draw, capabilities: Capabilities, kind: str, turn: int) -> Plan:
    if kind == "conjunction":
        return pick(draw, CONJUNCTIONS).plan(draw)
    if kind == "deep":
        return deep(draw, capabilities)
    if kind == "common":
        return common(draw, capabilities)
    if kind == "medium":
        return medium(draw, capabilities)
    return realistic(draw, turn) if kind == "realistic" else small(draw, capabilities)
