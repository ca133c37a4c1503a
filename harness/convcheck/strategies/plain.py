"""Legal cases in a plain representation: one small number for each parameter, independent of all others.

Any numbers in range give a legal case, and a smaller number a simpler one, so that Hypothesis can search along single
parameters, shrink them and say which of them matter. No number is above 99: into larger ranges Hypothesis' own
provider mixes constants of whatever modules are loaded. What may be larger is written in digits to the base 100, the
highest first, each a field of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import BIAS_LAYOUTS, LAYOUTS, PLACEMENTS, REGIMES, Case
from convcheck.strategies.draws import Draw
from convcheck.strategies.layers import COMMON_BUDGET, Axis, Channels, Plan, fewest_pixels, spell
from convcheck.strategies.layouts import weighted
from convcheck.strategies.plain_fields import (
    BASE,
    FIELDS,
    FLAGS,
    GENERATED,
    HIGHEST,
    SIDES,
    SPELLED,
    Numbers,
    amount,
    digits,
    in_digits,
)
from convcheck_reference.params import PADDING_MODES

_DTYPES: Final = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
_FORMS: Final = ("batched", "unbatched", "empty batch")

_WEIGHTS: Final = {
    "dtypes": 3, "regimes": 6, "layouts_of_biases": 6, "placements": 2, "modes": 3, "paddings": 8, "forms": 14,
    "entries": 5,
}  # fmt: skip
"""How often the first of some choices stands among them when cases are generated."""


@dataclass(frozen=True, slots=True)
class PlainSpace:
    """What the numbers of fields with a list of choices stand for, the simplest choice first.

    Attributes:
        dtypes: names of dtypes.
        regimes: the real-valued data.
        layouts: of x and of the weight.
        layouts_of_gradients: of grad_output.
        layouts_of_biases: of the bias.
        placements: where memory lies.
        modes: of the padding.
        paddings: how padding is spelled: '' for numbers.
        forms: of the input.
        entries: how the candidate is called.
        nonzeros: the most non-zero elements of each tensor; None for dense data.
        groups: whether there may be more than one.
        dilation: whether it may be above 1.
    """

    dtypes: tuple[str, ...]
    regimes: tuple[str, ...]
    layouts: tuple[str, ...]
    layouts_of_gradients: tuple[str, ...]
    layouts_of_biases: tuple[str, ...]
    placements: tuple[str, ...]
    modes: tuple[str, ...]
    paddings: tuple[str, ...]
    forms: tuple[str, ...]
    entries: tuple[str, ...]
    nonzeros: tuple[int | None, ...] = (None,)
    groups: bool = True
    dilation: bool = True

    @classmethod
    def of(cls, capabilities: Capabilities, dtypes: tuple[str, ...] | None = None) -> PlainSpace:
        """The cases that a backend with these capabilities has to handle, `dtypes` narrowing its dtypes."""
        return cls(
            dtypes=_those(_DTYPES, dtypes or capabilities.dtypes),
            regimes=tuple(regime for regime in REGIMES if capabilities.nonfinite or regime != "special"),
            layouts=_those(LAYOUTS, set(capabilities.layouts) - {"broadcast"}),
            layouts_of_gradients=_those(LAYOUTS, capabilities.layouts),
            layouts_of_biases=_those(BIAS_LAYOUTS, {"contiguous", *capabilities.layouts}),
            placements=PLACEMENTS,
            modes=_those(PADDING_MODES, capabilities.padding_modes),
            paddings=("", "valid", "same") if capabilities.string_padding else ("",),
            forms=_allowed(_FORMS, (True, capabilities.unbatched, capabilities.empty_batch)),
            entries=_allowed(("function", "module"), (True, capabilities.module)),
            groups=capabilities.groups,
            dilation=capabilities.dilation,
        )

    def with_sparse_data(self) -> PlainSpace:
        """The space with data of a few non-zero elements, which are simpler than dense ones."""
        return replace(self, nonzeros=(1, 2, 4, None))

    def weighted(self) -> PlainSpace:
        """The space for generation: the simplest choices stand several times where there are others."""
        repeated: dict[str, Any] = {name: weighted(getattr(self, name)) for name in ("layouts", "layouts_of_gradients")}
        for name, times in _WEIGHTS.items():
            repeated[name] = _first_repeated(getattr(self, name), times)
        return replace(self, **repeated)

    @property
    def limits(self) -> dict[str, int]:
        """The greatest number that each field may have, in the order of `FIELDS`."""
        without = (*digits("groups"),) * (not self.groups) + ("dilation_h", "dilation_w") * (not self.dilation)
        limits = {field: HIGHEST.get(field, BASE - 1) for field in FIELDS} | dict.fromkeys(FLAGS, 1)
        limits |= {field: len(choices) - 1 for field, choices in self._choices.items()}
        return limits | dict.fromkeys(without, 0)

    @property
    def most(self) -> dict[str, int]:
        """The greatest number of each field, of those that have a choice, when cases are generated."""
        lists = self._choices
        bounds = {
            field: limit if field in lists else min(limit, GENERATED.get(field, 0))
            for field, limit in self.limits.items()
        }
        return {field: bound for field, bound in bounds.items() if bound > 0}

    def case(self, numbers: Numbers) -> Case:
        """The legal case of some numbers, each of which may be anything from 0 to its limit.

        What a parameter makes meaningless is ignored: numbers of the padding and strides where 'same' is spelled, the
        batch of an unbatched input, the data and layouts of a module's weight.
        """
        return self._case(numbers, self._plan(numbers))

    def numbers(self, case: Case) -> dict[str, int] | None:
        """The numbers of a case, those of which `case` makes it again; None if there are none, as of illegal cases."""
        if case.violation is not None or case.flaw != "none":
            return None
        amounts, picked = _amounts(case), _picked(case)
        if any(value not in self._choices[name] for name, value in picked.items()):
            return None
        numbers = {name: self._choices[name].index(value) for name, value in picked.items()}
        numbers |= in_digits(amounts)
        if any(numbers[field] > limit for field, limit in self.limits.items()):
            return None
        ordered = {field: numbers[field] for field in FIELDS}
        return ordered if self.case(ordered).token == case.token else None

    def draw(self, draw: Draw, budget: int = COMMON_BUDGET) -> Case:
        """A case with every field drawn for itself.

        Args:
            draw: gives a number for each of `most`.
            budget: the most that a forward pass may cost, in multiply-adds; channels and batch are halved until it
                does not.
        """
        numbers = {field: draw(0, most) for field, most in self.most.items()}
        return self._case(numbers, self._plan(numbers).within(budget))

    @property
    def _choices(self) -> dict[str, tuple[Any, ...]]:
        return {
            "entry": self.entries,
            "dtype": self.dtypes,
            "regime": self.regimes,
            "layout_x": self.layouts,
            "layout_weight": self.layouts,
            "layout_grad": self.layouts_of_gradients,
            "layout_bias": self.layouts_of_biases,
            "placement": self.placements,
            "mode": self.modes,
            "padding": self.paddings,
            "form": self.forms,
            "nonzeros": self.nonzeros,
        }

    def _plan(self, numbers: Numbers) -> Plan:
        padding, mode = self.paddings[numbers.get("padding", 0)], self.modes[numbers.get("mode", 0)]
        form = self.forms[numbers.get("form", 0)]
        groups = 1 + amount(numbers, "groups") * self.groups
        into, out = (groups * (1 + amount(numbers, f"{side}_per_group")) for side in ("in", "out"))
        height, width = (self._axis(numbers, side, padding, mode) for side in SIDES)
        return Plan(
            height,
            width,
            Channels(groups, into, out),
            {"unbatched": None, "empty batch": 0}.get(form, 1 + amount(numbers, "batch")),
            padding,
            mode,
            bool(numbers.get("bias", 0)),
        )

    def _axis(self, numbers: Numbers, side: str, padding: str, mode: str) -> Axis:
        kernel, stride = (1 + numbers.get(f"{name}{side}", 0) for name in ("kernel", "stride"))
        dilation = 1 + numbers.get(f"dilation{side}", 0) * self.dilation
        reach = dilation * (kernel - 1)
        widest = {"same": (reach + 1) // 2, "valid": 0}.get(padding, numbers.get(f"padding{side}", 0))
        total = reach if padding == "same" else 2 * widest
        size = fewest_pixels(kernel, dilation, total, widest, mode) + amount(numbers, f"spare{side}")
        return Axis(size, kernel, 1 if padding == "same" else stride, widest, dilation)

    def _case(self, numbers: Numbers, plan: Plan) -> Case:
        picked = {name: choices[numbers.get(name, 0)] for name, choices in self._choices.items()}
        as_int = sum((not numbers.get(name, 0)) << bit for bit, name in enumerate(SPELLED))
        layouts = picked["layout_x"], picked["layout_weight"], picked["layout_grad"]
        # how complex parameters are initialised is not documented
        module = picked["entry"] == "module" and not picked["dtype"].startswith("complex")
        return Case(
            *spell(lambda _low, _high: as_int, plan),
            dtype=picked["dtype"],
            regime="reals" if module else picked["regime"],
            layouts=(layouts[0],) * 3 if module else layouts,
            layout_bias=picked["layout_bias"] if plan.bias and not module else "contiguous",
            placement=picked["placement"],
            entry="module" if module else "function",
            nonzeros=picked["nonzeros"],
            seed=amount(numbers, "seed"),
        )


def _those(known: tuple[str, ...], wanted: Any) -> tuple[str, ...]:
    return tuple(name for name in known if name in wanted)


def _first_repeated(choices: tuple[Any, ...], times: int) -> tuple[Any, ...]:
    return choices[:1] * times + choices[1:] if len(choices) > 1 else choices


def _allowed(names: tuple[str, ...], flags: tuple[bool, ...]) -> tuple[str, ...]:
    return tuple(name for name, allowed in zip(names, flags, strict=True) if allowed)


def _picked(case: Case) -> dict[str, Any]:
    spelled = case.arguments.padding
    return {
        "entry": case.entry,
        "dtype": case.dtype,
        "regime": case.regime,
        "layout_x": case.layouts[0],
        "layout_weight": case.layouts[1],
        "layout_grad": case.layouts[2],
        "layout_bias": case.layout_bias,
        "placement": case.placement,
        "mode": case.params.padding_mode,
        "padding": spelled if isinstance(spelled, str) else "",
        "form": _FORMS[1 if case.unbatched else 2 if case.batch == 0 else 0],
        "nonzeros": case.nonzeros,
    }


def _amounts(case: Case) -> dict[str, int]:
    params, spelled = case.params, case.arguments
    amounts = {
        "groups": params.groups - 1,
        "in_per_group": params.in_channels // params.groups - 1,
        "out_per_group": params.out_channels // params.groups - 1,
        "batch": max(0, case.batch - 1),
        "bias": int(params.bias),
        "seed": case.seed,
    }
    pairs = (spelled.kernel_size, spelled.stride, spelled.padding, spelled.dilation)
    # two numbers that differ can only be written as a pair
    amounts |= {
        name: int(isinstance(pair, tuple) and len(set(pair)) == 1) for name, pair in zip(SPELLED, pairs, strict=True)
    }
    for at, side in enumerate(SIDES):
        kernel, dilation, pads = params.kernel_size[at], params.dilation[at], params.padding[at]
        needed = fewest_pixels(kernel, dilation, sum(pads), max(pads), params.padding_mode)
        amounts |= {
            f"kernel{side}": kernel - 1,
            f"stride{side}": params.stride[at] - 1,
            f"dilation{side}": dilation - 1,
            f"padding{side}": 0 if isinstance(spelled.padding, str) else max(pads),
            f"spare{side}": case.input_shape[at - 2] - needed,
        }
    return amounts
