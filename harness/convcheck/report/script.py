"""A standalone reproduction of a finding: a Python file that needs NumPy and the candidate only."""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.profiles import GRADIENTS, PROFILES, STRICT, Profile, Quantity
from convcheck.model.record import Finding, Record
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial
from convcheck.plugin.registry import installed_target
from convcheck.report.templating import environment
from convcheck.triage.diagnosis.localization import expected

Array = NDArray[Any]

_LARGEST_LITERAL: Final = 64
_CALL_ONLY: Final = {Status.CRASHED, Status.HUNG, Status.WRONGLY_ACCEPTED, Status.WRONGLY_REFUSED}
_REGIMES: Final = {
    "exact": INTEGERS,
    "gradients-exact": INTEGERS,
    "bounded": REALS,
    "gradients-bounded": REALS,
    "special": REALS,
}


def script(record: Record, finding: Finding) -> str:
    """The script; empty where only `convcheck replay` can repeat a finding.

    That is so for findings that depend on earlier cases, and for those about modules, inputs and
    the adjoint identity, which are not about one result.
    """
    backend = next(b for b in record.backends if b.name == finding.backend)
    calls_only = finding.status in _CALL_ONLY
    if (
        not finding.token
        or not finding.standalone
        or not (finding.oracle in _REGIMES or (calls_only and finding.oracle == "parity"))
    ):
        return ""
    case = read(finding.token)
    if case.entry == "module":
        return ""
    trial = Trial(case, _capabilities(case, backend.profiles))
    if calls_only:
        call, results = _failing_call(trial), {}
    else:
        quantity: Quantity = finding.quantity  # type: ignore[assignment]  # an oracle of results names one
        regime = _REGIMES[finding.oracle]
        call = trial.calls[f"{regime} {'backward' if quantity in GRADIENTS else 'forward'}"]
        results = dict(zip(("expected", "tolerance"), expected(trial, finding.oracle, quantity), strict=True))
    return (
        environment()
        .get_template("reproduce.py.j2")
        .render(
            finding=finding,
            layer=str(case.arguments),
            arguments=case.arguments,
            spec=installed_target(backend.spec),
            backward=call.operation is Operation.BACKWARD,
            tensors=[(name, literal(t.values), t.layout) for name, t in call.tensors.items()],
            results=[(name, literal(array)) for name, array in results.items()],
            bfloat16=case.dtype == "bfloat16",
        )
    )


def literal(array: Array) -> str:
    """A Python expression that makes `array`, bit for bit."""
    dtype = f"np.{array.dtype}" if array.dtype.name != "bfloat16" else "bfloat16"
    if array.size <= _LARGEST_LITERAL and array.size and np.isfinite(array.astype(complex)).all():
        return f"np.array({array.tolist()!r}, dtype={dtype})"
    packed = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes())).decode()
    return f'unpack("{packed}", {dtype}, {array.shape})'


def _capabilities(case: Case, profiles: Any) -> Capabilities:
    promised: dict[str | tuple[str, Quantity], Profile] = {}
    for key, name in profiles.items():
        dtype, quantity = key.split()
        promised[dtype, quantity] = PROFILES.get(name, STRICT[dtype])
    gradients = any(key.endswith("grad_input") for key in profiles)
    return Capabilities(dtypes=(case.dtype,), gradients=gradients, profiles=promised)


def _failing_call(trial: Trial) -> Call:
    """The call that makes most of the candidate: backward runs forward as well."""
    return list(trial.calls.values())[-1]
