"""The cases of a part of a run that follow from the seed alone: drawn ones, and those that reach far."""

from __future__ import annotations

from convcheck.judging.blocks import BLOCK, generate
from convcheck.judging.parts import Part
from convcheck.judging.reaching import reach
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.ladder import Ladder
from convcheck.model.origins import Origin


def drawn_cases(
    part: Part,
    capabilities: Capabilities,
    dtypes: tuple[str, ...] | None = None,
    *,
    run_seed: int,
    ladder: Ladder = Ladder.STANDARD,
) -> tuple[Case, ...]:
    """The cases of a part that is drawn or reaches far.

    Args:
        part: of a run.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        run_seed: of the whole run.
        ladder: how far the far ones reach.
    """
    if part.origin is Origin.REACH:
        return reach(capabilities, dtypes, run_seed=run_seed, first=part.number, size=part.size, ladder=ladder)
    block, start = divmod(part.number, BLOCK)
    return generate(capabilities, dtypes, run_seed=run_seed, block=block, start=start, size=part.size)
