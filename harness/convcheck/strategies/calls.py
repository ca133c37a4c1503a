"""A layer with its tensors in hand: what a test of anybody's calls a function with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from convcheck.model.calls import Tensor
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.ladder import Ladder
from convcheck.model.profiles import QUANTITIES
from convcheck.model.work import ValueRegime
from convcheck.plugin.arrays import Arrays, arrays_of
from convcheck.strategies.cases import cases
from convcheck.tensors.layouts import lay_out
from convcheck.tensors.regions import heap
from convcheck.tensors.values import Values, integer_values, real_values
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import PADDING_MODES

_KEYWORDS: Final = ("stride", "padding", "dilation", "groups")
_OF_A_FUNCTION: Final = Capabilities(padding_modes=("zeros",))
"""What the signature of `torch.nn.functional.conv2d` has."""


class CallsError(ConvcheckError, ValueError):
    """Calls that cannot be drawn as they were asked for."""


@dataclass(frozen=True, eq=False, repr=False)
class DrawnCall:
    """A legal layer and its tensors: ``my_conv(*call.tensors, **call.keywords)``.

    Attributes:
        case: whose token, `call.case.token`, makes the same call again (`convcheck replay`).
        x: (N, C, H, W) or (C, H, W), in the layout of the case.
        weight: (O, C/groups, kh, kw).
        bias: (O,), or None.
        keywords: stride, padding, dilation and groups, as a caller spells them; padding_mode where any may be drawn.
    """

    case: Case
    x: Any
    weight: Any
    bias: Any | None
    keywords: Mapping[str, Any]
    _values: Values = field(compare=False)

    @property
    def tensors(self) -> tuple[Any, Any, Any | None]:
        """x, weight and bias."""
        return self.x, self.weight, self.bias

    @cached_property
    def expected(self) -> NDArray[Any]:
        """The output by the reference, an array of NumPy's in double precision; exact where the values are integers."""
        from convcheck_reference.convolution import conv2d  # noqa: PLC0415  (who calls a candidate needs none)

        values = self._values
        with np.errstate(invalid="ignore"):  # of infinities that cancel comes NaN
            return conv2d(values.x, values.weight, values.bias, self.case.params)

    def __repr__(self) -> str:
        shapes = {name: getattr(getattr(self, name), "shape", None) for name in ("x", "weight", "bias")}
        shown = ", ".join(f"{name}: {None if shape is None else tuple(shape)}" for name, shape in shapes.items())
        return f"<{self.case.token}; {shown}; {self.case.dtype}; {dict(self.keywords)}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """As Hypothesis shows a failing example, which would have every field in full."""
        printer.text(repr(self))


def calls(
    capabilities: Capabilities = _OF_A_FUNCTION,
    *,
    arrays: str = "numpy",
    values: ValueRegime = "integers",
    ladder: Ladder = Ladder.STANDARD,
) -> st.SearchStrategy[DrawnCall]:
    """Legal layers with their tensors, to call a function with; they shrink as `cases` do.

    Args:
        capabilities: what is drawn at all; by default what a function with the signature of
            `torch.nn.functional.conv2d` takes, in float32.
        arrays: of which library the tensors are: "numpy", "torch", or a package as `convcheck.capabilities` takes it.
        values: "integers", on which every partial sum is exact in the promised accumulator, so that results can be
            compared bit for bit; or "reals", the data of the case's regime, which may hold NaN and ±Inf.
        ladder: how far some of the layers reach.

    Raises:
        CallsError: there are no such values.
        CapabilityError: no declared layout survives the way to such arrays, or they lack a dtype.
        UnavailableError: their package is not installed.
    """
    if values not in ("integers", "reals"):
        raise CallsError(f"values={values!r}; expected 'integers' or 'reals'")
    carrier = arrays_of(arrays, "cpu", capabilities.dtypes)
    layouts = tuple(layout for layout in capabilities.layouts if layout in carrier.layouts)
    legal = replace(capabilities, layouts=layouts, validates=False, extensions=(), module=False)
    taken = cases(legal, ladder=ladder).filter(lambda case: legal.unsupported(case) is None)
    return _calls(taken, legal, carrier, values)


@st.composite  # whose failing examples are shown as they show themselves, other than those of `map`
def _calls(
    draw: st.DrawFn,
    cases_of: st.SearchStrategy[Case],
    capabilities: Capabilities,
    carrier: Arrays,
    regime: ValueRegime,
) -> DrawnCall:
    case = draw(cases_of)
    promised = {quantity: capabilities.promised(case, quantity) for quantity in QUANTITIES}
    values = integer_values(case, promised) if regime == "integers" else real_values(case)
    names = (*_KEYWORDS, *(("padding_mode",) if set(capabilities.padding_modes) != {PADDING_MODES[0]} else ()))
    keywords = {name: getattr(case.arguments, name) for name in names}
    x, weight, bias = [_placed(case, carrier, name, getattr(values, name)) for name in ("x", "weight", "bias")]
    return DrawnCall(case, x, weight, bias, keywords, values)


def _placed(case: Case, carrier: Arrays, name: str, array: NDArray[Any] | None) -> Any | None:
    if array is None:
        return None
    laid_out, _ = lay_out(Tensor(array, case.layout_of[name]), heap)
    return carrier.to_native(laid_out)
