"""A finding as a script of some lines that needs NumPy and the engine alone, for whoever maintains that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from convcheck.model.record import Finding
from convcheck.model.reproduction import PackedArray, StandaloneCall
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.plugin.own_words import ScriptCall
from convcheck.plugin.registry import installed_target
from convcheck.report.script import literal

_GRADIENTS: Final = {"x": "grad_input", "weight": "grad_weight", "bias": "grad_bias"}
_UNPACK: Final = (
    "import base64",
    "import zlib",
    "",
    "",
    "def unpack(text, dtype, shape):",
    "    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape).copy()",
    "",
    "",
)


def script_call(spec: str, finding: Finding) -> ScriptCall | None:
    """The call that shows a finding, for `Backend.script_lines`; None where no plain one does.

    That is so where more than one call shows it, and where it matters how the tensors lie in memory, as far as anybody
    knows.

    Args:
        spec: of the backend, in whichever environment.
        finding: of it.
    """
    call = finding.reproduction.call
    if call is None or any((t.layout, t.placement) != ("contiguous", "aligned") for t in call.tensors.values()):
        return None
    try:
        target = installed_target(spec)
    except (KeyError, ValueError):  # it is not installed, or no file can have that name
        return None
    return ScriptCall(
        arguments=read(finding.reproduction.token).arguments,
        dtype=call.tensors["x"].values.dtype,
        quantity=_quantity(finding, call),
        wanted=tuple(name for name in call.wanted if name in call.tensors),
        bias="bias" in call.tensors,
        target=target,
        arrays={name: tensor.values.array for name, tensor in call.tensors.items()},
    )


def _quantity(finding: Finding, call: StandaloneCall) -> str:
    """The result that is looked at; of a call that does not come back, any."""
    if not call.backward:
        return "output"
    first = next(_GRADIENTS[name] for name in call.wanted if name in call.tensors)
    return finding.verdict.quantity if finding.verdict.quantity in _GRADIENTS.values() else first


def own_words(finding: Finding, lines: Sequence[str]) -> str:
    """The script; its exit status is 1, or that of a crash, as long as the finding is there.

    Args:
        finding: that it shows.
        lines: what the backend says: imports first, `got` is the result.
    """
    call = finding.reproduction.call
    assert call is not None
    arrays = {name: literal(tensor.values) for name, tensor in call.tensors.items()}
    results = {name: literal(array) for name, array in _results(call) if _is_compared(finding)}
    packed = any("unpack(" in text for text in (*arrays.values(), *results.values()))
    last = max((at for at, line in enumerate(lines, 1) if line.startswith(("import ", "from "))), default=0)
    dtypes = {tensor.values.dtype for tensor in call.tensors.values()}
    return "\n".join(
        [
            *(_UNPACK[:2] if packed else ()),
            "import numpy as np",
            *(["from ml_dtypes import bfloat16"] if "bfloat16" in dtypes else []),
            *lines[:last],
            *(_UNPACK[2:] if packed else ("",)),
            *(f"{name} = {text}" for name, text in arrays.items()),
            *_called(finding, lines[last:]),
            *_compared(call, results),
        ]
    )


def _results(call: StandaloneCall) -> list[tuple[str, PackedArray]]:
    expected, tolerance = call.expected, call.tolerance
    found = [] if expected is None else [("expected", expected)]
    return found if tolerance is None or is_exact(call) else [*found, ("tolerance", tolerance)]


def _is_compared(finding: Finding) -> bool:
    return finding.status not in (Status.WRONGLY_ACCEPTED, Status.WRONGLY_REFUSED, Status.CRASHED, Status.HUNG)


def is_exact(call: StandaloneCall) -> bool:
    """Whether every element is compared bit for bit."""
    return call.tolerance is not None and not np.any(call.tolerance.array)


def _called(finding: Finding, lines: Sequence[str]) -> Sequence[str]:
    """The call; where it is illegal, it has to raise."""
    if finding.status is not Status.WRONGLY_ACCEPTED:
        return lines
    return (
        "try:",
        *(f"    {line}" for line in lines),
        "except Exception as error:",
        '    print("refused, as it should be:", error)',
        "else:",
        '    raise SystemExit(f"accepted, although it is illegal: {got.shape}")',
    )


def _compared(call: StandaloneCall, results: dict[str, str]) -> Sequence[str]:
    lines = [f"{name} = {text}" for name, text in results.items()]
    if "expected" not in results:
        return ()
    if "tolerance" not in results:
        return (*lines, "np.testing.assert_array_equal(got, expected)")
    assert call.expected is not None
    assert call.tolerance is not None
    plain = np.isfinite(call.expected.array).all() and np.isfinite(call.tolerance.array).all()
    near = "abs(got.astype(expected.dtype) - expected) <= tolerance"
    if plain:
        return (*lines, f"assert ({near}).all(), got")
    return (
        *lines,
        f"right = ({near}) | (got == expected) | (np.isnan(got) & np.isnan(expected)) | np.isposinf(tolerance)",
        "assert right.all(), got",
    )
