"""Options of a backend: the keywords of its constructor, as text that a user types and as what the constructor takes.

An option is a keyword with a default, annotated as bool, int, float, str or a Literal of these.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from convcheck.plugin.registry_errors import BackendOptionError

_TRUTHS: Final[Mapping[str, object]] = {"yes": True, "no": False}
_NUMBERS: Final = {int: "a whole number", float: "a number"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a backend.

    Attributes:
        name: as it is typed.
        kind: its annotation.
        default: its value where it is not typed.
    """

    name: str
    kind: Any
    default: Any

    @property
    def expected(self) -> str:
        """What it may be: "yes or no"."""
        choices = self._choices()
        return " or ".join(choices) if choices else _NUMBERS.get(self.kind, "a text")

    def __str__(self) -> str:
        """The option with what it may be: "threads (a whole number, by default 1)"."""
        shown = next((text for text, value in self._choices().items() if value == self.default), self.default)
        return f"{self.name} ({self.expected}, by default {shown})"

    def read(self, text: str) -> Any:
        """Its value.

        Raises:
            KeyError, ValueError: the text is none of its values.
        """
        choices = self._choices()
        return choices[text] if choices else self.kind(text)

    def _choices(self) -> Mapping[str, object]:
        if self.kind is bool:
            return _TRUTHS
        return {str(value): value for value in get_args(self.kind)} if get_origin(self.kind) is Literal else {}


def options_of_class(target: type) -> dict[str, Option]:
    """The options that a backend has, by name."""
    hints = get_type_hints(target.__init__)  # type: ignore[misc]  # of the very class that will be called
    found = [
        Option(name, hints.get(name, type(parameter.default)), parameter.default)
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind is not parameter.POSITIONAL_ONLY and parameter.default is not parameter.empty
    ]
    return {option.name: option for option in found if _readable(option.kind)}


def constructor_arguments(target: object, name: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """What the constructor of a backend is called with.

    Args:
        target: the class; anything else has no options.
        name: of the backend, for messages.
        typed: the options as text.

    Raises:
        BackendOptionError: it has no such option, or that has no such value; the message says which there are.
    """
    if not typed:
        return {}
    options = options_of_class(target) if inspect.isclass(target) else {}
    return {key: _value(options, name, key, text) for key, text in typed.items()}


def _value(options: Mapping[str, Option], name: str, key: str, text: str) -> Any:
    if key not in options:
        near = get_close_matches(key, options, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = ", ".join(map(str, options.values()))
        raise BackendOptionError(
            f"{name} has no option {key!r}; {hint}"
            + (f"its options: {known}" if known else "it has none: options are keywords of a class's constructor")
        )
    try:
        return options[key].read(text)
    except (KeyError, ValueError):
        raise BackendOptionError(f"option {key!r} of {name} is {text!r}; expected {options[key].expected}") from None


def _readable(kind: Any) -> bool:
    return kind in (bool, int, float, str) or get_origin(kind) is Literal
