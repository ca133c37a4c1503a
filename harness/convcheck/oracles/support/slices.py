"""Slices of large layers: a few of its channels are a layer of their own, with every tap and every pixel.

Where the reference would take seconds for a layer, its results are judged in a few channels of the output and of the
input. A filter of a layer computes what it computes alone: output, weight gradient and bias gradient of some filters
are those of a layer that has no others, and the input gradient of some input channels is that of a layer that reads no
others. So the same oracles judge a slice by the same bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Outcome, Returned
from convcheck.model.case import Case
from convcheck.model.verdicts import Verdict
from convcheck.oracles.support.trial import REALS, Trial, plain_key
from convcheck.tensors.values import Values
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_DATA: Final = ("dtype", "regime", "layouts", "layout_bias", "placement", "nonzeros", "seed")
_GROUPS: Final = 4
_CHANNELS: Final = 8
"""Channels of a slice, of all its groups together; at least one of each, and fewer of large images."""

_PIXELS: Final = 1 << 18
"""Of all channels of a slice together, where one of them has fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A slice of a layer.

    Attributes:
        trial: of the slice, as if it had been asked for alone; with the results that are judged in it, and no others.
        outputs: the numbers of its output channels in the whole layer.
        inputs: those of its input channels.
    """

    trial: Trial
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    def in_the_whole(self, verdict: Verdict) -> Verdict:
        """A verdict on the slice as one on the layer: positions are those of the layer."""
        evidence = verdict.evidence
        if evidence is None:
            return verdict
        channels = self.inputs if verdict.quantity == "grad_input" else self.outputs
        of_batch = verdict.quantity in ("output", "grad_input") and len(evidence.index) == 4
        index = list(evidence.index)
        if index:
            index[int(of_batch)] = channels[index[int(of_batch)]]
        looked = ", ".join(map(str, channels))
        location = f"{evidence.location} (of channels {looked}, which alone were compared)"
        return replace(verdict, evidence=replace(evidence, index=tuple(index), location=location))


def slices(trial: Trial) -> Iterator[Slice]:
    """The slices in which a large layer is judged: one of filters, one of input channels.

    Args:
        trial: of a large case, whose calls have been made.
    """
    params = trial.case.params
    into, out = params.in_channels // params.groups, params.out_channels // params.groups
    chance = np.random.default_rng([trial.case.seed, params.in_channels, params.out_channels])
    pixels = trial.case.batch * max(
        math.prod(shape[-2:]) for shape in (trial.case.input_shape, trial.case.output_shape)
    )
    groups = _some(params.groups, min(_GROUPS, max(1, _PIXELS // pixels)), chance)
    each = max(1, min(_CHANNELS, _PIXELS // pixels) // len(groups))
    all_into, all_out = np.arange(into), np.arange(out)
    yield _slice(trial, groups, _some(out, each, chance), all_into, ("output", "grad_weight", "grad_bias"))
    yield _slice(trial, groups, all_out, _some(into, each, chance), ("grad_input",))


def _some(number: int, most: int, chance: np.random.Generator) -> NDArray[np.intp]:
    """The first, the last, and others in between, in order."""
    if number <= most:
        return np.arange(number)
    ends = {0, number - 1} if most > 1 else set[int]()
    rest = chance.permutation([n for n in range(number) if n not in ends])[: most - len(ends)]
    return np.array(sorted({*ends, *map(int, rest)}))


def _slice(
    trial: Trial, groups: NDArray[np.intp], out: NDArray[np.intp], into: NDArray[np.intp], quantities: tuple[str, ...]
) -> Slice:
    params = trial.case.params
    outputs = (groups[:, None] * (params.out_channels // params.groups) + out).reshape(-1)
    inputs = (groups[:, None] * (params.in_channels // params.groups) + into).reshape(-1)
    arguments = replace(params.arguments, in_channels=len(inputs), out_channels=len(outputs), groups=len(groups))
    shape = (*trial.case.input_shape[:-3], len(inputs), *trial.case.input_shape[-2:])
    data = {name: getattr(trial.case, name) for name in _DATA}
    case = Case.of(Conv2dParams.of(arguments), shape, **data)

    def cut(values: Values) -> Values:
        return Values(
            values.x[..., inputs, :, :],
            values.weight[np.ix_(outputs, into)],
            None if values.bias is None else values.bias[outputs],
            values.grad_output[..., outputs, :, :],
        )

    def results(outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Returned):
            return outcome
        return replace(outcome, arrays=_results(trial, outcome.arrays, quantities, outputs, inputs, into))

    found = Trial(case, trial.capabilities, {key: results(outcome) for key, outcome in trial.outcomes.items()})
    vars(found)["integers"] = cut(trial.integers)  # where `cached_property` looks
    if plain_key(REALS, "output") in trial.outcomes:
        vars(found)["reals"] = cut(trial.reals)
    return Slice(found, tuple(map(int, outputs)), tuple(map(int, inputs)))


def _results(
    trial: Trial,
    arrays: Mapping[str, Array | None],
    quantities: tuple[str, ...],
    outputs: NDArray[np.intp],
    inputs: NDArray[np.intp],
    into: NDArray[np.intp],
) -> dict[str, Array]:
    """The results of some quantities in the slice; one of a wrong shape has been judged already, and is left out."""
    found: dict[str, Array] = {}
    for name in quantities:
        array = arrays.get(name)
        if array is None or array.shape != trial.shape(name):  # type: ignore[arg-type]
            continue
        if name in ("output", "grad_input"):
            found[name] = array[..., outputs if name == "output" else inputs, :, :]
        else:
            found[name] = array[outputs][:, into] if name == "grad_weight" else array[outputs]
    return found
