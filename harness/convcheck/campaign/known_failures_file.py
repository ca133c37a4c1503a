"""The TOML file of known failures, strictly checked: what could never match anything is refused, not ignored.

[[known]]
clause = "C2D-GRAD-2"                  # the clause that fails
where = "dtype == 'bfloat16'"          # optional: a rule over the case (`convcheck.model.rules`)
quantity = "grad_weight"               # optional: output, grad_input, grad_weight, grad_bias, …
token = "v1,…"                         # the witness, repeated in every run; may stand without a clause
reason = "sums in bfloat16"
link = "…"                             # optional
skip = "yes"                           # optional: its cases are not put to the backend at all, as each of them hangs
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from convcheck.campaign.known_failures import KnownFailure
from convcheck.model.rules import Rule
from convcheck.model.schemas import adapter
from convcheck.model.text_file import text_of
from convcheck.model.token import read
from convcheck.model.verdicts import OF_VERDICTS
from convcheck_reference.clauses import clause
from convcheck_reference.errors import ConvcheckError

_TABLE: Final = "known"


class KnownFailuresError(ConvcheckError, ValueError):
    """A file of known failures that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """An entry as it is typed."""

    reason: str
    clause: str = ""
    where: str = ""
    quantity: str = ""
    token: str = ""
    link: str = ""
    skip: Literal["yes", ""] = ""


def load_known_failures(path: Path, backends: Sequence[str]) -> tuple[KnownFailure, ...]:
    """The entries for `backends`: of a file for all of them, or of a folder's ``<backend>.toml`` each.

    Raises:
        KnownFailuresError: the message names the file, the entry, the key and what is wrong.
    """
    try:
        if path.is_dir():
            named = {backend: path / f"{backend}.toml" for backend in backends}
            files = [(backend, file) for backend, file in named.items() if file.is_file()]
        else:
            files = [("", path)]
    except (OSError, ValueError) as error:  # a name that is too long, or that no file can have
        raise KnownFailuresError(f"{str(path)[:300]}: {error}") from error
    return tuple(entry for backend, file in files for entry in _load(file, backend))


def _load(file: Path, backend: str) -> tuple[KnownFailure, ...]:
    try:
        found = tomllib.loads(text_of(file))
    except (OSError, ValueError, RecursionError) as error:  # of TOML, of UTF-8 and of numbers
        raise KnownFailuresError(
            f"{str(file)[:300]}: {error}; expected TOML with [[known]] above each entry"
        ) from error
    for name in found.keys() - {_TABLE}:
        raise KnownFailuresError(f"{file}: unknown table or key {name!r}; write [[known]] above each entry")
    entries = found.get(_TABLE, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KnownFailuresError(f"{file}: known is no array of tables; write [[known]] above each entry")
    return tuple(_known(f"{file}, entry {n}", entry, backend) for n, entry in enumerate(entries, 1))


def _known(where: str, given: Mapping[str, Any], backend: str) -> KnownFailure:
    entry = _validated(where, given)
    _check(where, entry)
    values = {name: _checked(where, name, getattr(entry, name), check) for name, check in _CHECKS.items()}
    token = values["token"].token if entry.token else ""
    return KnownFailure(
        backend=backend,
        reason=entry.reason,
        clause=entry.clause,
        where=values["where"],
        quantity=entry.quantity,
        token=token,
        link=entry.link,
        skip=bool(entry.skip),
    )


def _validated(where: str, given: Mapping[str, Any]) -> _Entry:
    from pydantic import ValidationError  # noqa: PLC0415  (it takes long to import, and few runs have known failures)

    try:
        (entry,) = adapter(_Entry, strict=False).validate_python([given])
    except ValidationError as error:
        first = error.errors()[0]
        raise KnownFailuresError(f"{where}: {_why(str(first['loc'][1]), first['type'], first['msg'])}") from error
    found: _Entry = entry
    return found


def _why(key: str, kind: str, said: str) -> str:
    names = [field.name for field in fields(_Entry)]
    match kind:
        case "missing":
            return "has no reason; say why the failure is accepted"
        case "unexpected_keyword_argument":
            return f"unknown key {key!r}; expected some of {', '.join(names)}"
        case "string_type":
            return f"key {key} is no text; expected a string"
        case "literal_error":
            return f'key {key}: expected "yes", or no such line'
        case _:
            return f"key {key}: {said}"


def _check(where: str, entry: _Entry) -> None:
    """Refuse an entry that says too little."""
    if not entry.reason.strip():
        raise KnownFailuresError(f"{where} has no reason; say why the failure is accepted")
    if not (entry.clause or entry.token):
        raise KnownFailuresError(f"{where} names neither a clause nor a token; say what fails")
    if entry.skip and (entry.token or not entry.where):
        raise KnownFailuresError(f'{where}: skip takes a rule, where = "…", and no token: a witness would be asked')


def _checked(where: str, key: str, text: str, check: Callable[[str], Any]) -> Any:
    """What a text stands for, or the text of an absent key."""
    try:
        return check(text) if text or key == "where" else text
    except ConvcheckError as error:
        raise KnownFailuresError(f"{where}: key {key}: {error}") from error


def _rule(text: str) -> Rule:
    rule = Rule(text)
    if text and not any(isinstance(node, ast.Name) for node in ast.walk(ast.parse(text, mode="eval"))):
        raise KnownFailuresError(f"rule {text!r} asks for nothing of a case; leave it out for all cases")
    return rule


def _quantity(text: str) -> str:
    if text not in OF_VERDICTS:
        near = get_close_matches(text, OF_VERDICTS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(OF_VERDICTS)}"
        raise KnownFailuresError(f"{text!r} is nothing that is judged; {hint}")
    return text


_CHECKS: Final[Mapping[str, Callable[[str], Any]]] = {
    "clause": clause,
    "where": _rule,
    "quantity": _quantity,
    "token": read,
}
