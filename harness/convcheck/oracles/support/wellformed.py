"""Whether the result of an oracle's own call is the array that the contract promises."""

from __future__ import annotations

from convcheck.model.calls import Returned
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Shape


def fault(outcome: Returned, name: str, shape: Shape, dtype: str) -> str:
    """What `name` is instead of a plain array of this shape and dtype; empty if it is one."""
    array = outcome.arrays.get(name)
    if array is None:
        return outcome.malformed.get(name, "None")
    if array.shape == shape and array.dtype == DTYPES[dtype]:
        return ""
    return f"{array.dtype} {array.shape}"


def misshapen(oracle: str, quantity: str, clauses: tuple[str, ...], what: str, got: str, shape: Shape) -> Verdict:
    """The verdict on a result that has a `fault`."""
    evidence = Evidence((), str(shape), got, 1, 1, "the shape")
    return Verdict(oracle, quantity, Status.FAIL, clauses, f"{what} is {got}; expected {shape}", evidence=evidence)
