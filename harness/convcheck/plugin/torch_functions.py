"""What torch wraps a convolution in, as a plain function: a `torch.autograd.Function`, a custom operator.

Neither takes the arguments of `torch.nn.functional.conv2d` as they are: `apply` takes them by position, and an operator
as its schema says, which may ask for a list of two where a caller may write a number.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any, Final

from convcheck.plugin.function_backend import KEYWORDS, SignatureError, declaration_of, declared_as

_MODE: Final = "padding_mode"
_EXPECTED: Final = f"expected (x, weight, bias, {', '.join(KEYWORDS)})"


def as_function(target: Any) -> Any:
    """A subclass of `torch.autograd.Function` or an operator as a function on torch's tensors; anything else as it is.

    Raises:
        SignatureError: it does not take what a convolution takes.
    """
    if is_function_class(target):
        return _applied(target)
    schemas = [overload._schema for overload in _overloads(target)]  # noqa: SLF001  (nothing public has it)
    return _called(target, schemas) if schemas else target


def is_function_class(target: Any) -> bool:
    """Whether it is a subclass of `torch.autograd.Function`; whoever wrote one has loaded torch."""
    torch = sys.modules.get("torch")
    return torch is not None and inspect.isclass(target) and issubclass(target, torch.autograd.Function)


def _applied(function: Any) -> Callable[..., Any]:
    """`apply`, by name."""
    names, constants = _positions(function)

    def conv(x: Any, weight: Any, bias: Any, **layer: Any) -> Any:
        return function.apply(x, weight, bias, *(layer[name] if name in layer else constants[name] for name in names))

    return _declared(conv, function, names, {})


def _positions(function: Any) -> tuple[list[str], Mapping[str, Any]]:
    """What `forward` takes after its three tensors, in order, and what it gives besides the arguments of a layer."""
    import torch  # noqa: PLC0415

    parameters = list(inspect.signature(function.forward).parameters.values())
    if function.setup_context is torch.autograd.Function.setup_context:  # otherwise forward has no context
        parameters = parameters[1:]
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return list(KEYWORDS), {}
    others = parameters[3:]
    names = [p.name for p in others]
    constants = {p.name: p.default for p in others if p.name not in (*KEYWORDS, _MODE)}
    missing = [name for name in KEYWORDS if name not in names]
    unknown = [name for name, default in constants.items() if default is Parameter.empty]
    if missing or unknown:
        raise SignatureError(_said(f"{function.__name__}.forward", Signature(parameters), missing, unknown))
    return names, constants


def _overloads(target: Any) -> list[Any]:
    """Those of an operator, by what torch calls its kinds; none of anything else."""
    kind = (type(target).__module__, type(target).__name__)
    if kind == ("torch._library.custom_ops", "CustomOpDef"):
        return [target._opoverload]  # noqa: SLF001  (as above)
    if kind == ("torch._ops", "OpOverload"):
        return [target]
    return [getattr(target, name) for name in target.overloads()] if kind == ("torch._ops", "OpOverloadPacket") else []


def _called(operator: Any, schemas: Sequence[Any]) -> Callable[..., Any]:
    """The operator, with what a caller spells as a number as the list of two that its schema asks for."""
    arguments = {argument.name: argument for argument in schemas[0].arguments[3:]}
    missing = [name for name in KEYWORDS if name not in arguments]
    unknown = [n for n, a in arguments.items() if n not in (*KEYWORDS, _MODE) and not a.has_default_value()]
    if missing or unknown or len(schemas[0].arguments) < 3:
        raise SignatureError(_said("the operator", schemas[0], missing, unknown))
    listed = {name for name, argument in arguments.items() if str(argument.type) == "List[int]"}

    def conv(x: Any, weight: Any, bias: Any, **layer: Any) -> Any:
        return operator(x, weight, bias, **{n: _pair(v) if n in listed else v for n, v in layer.items()})

    texts = any(a.name == "padding" and str(a.type) == "str" for schema in schemas for a in schema.arguments)
    return _declared(conv, operator, list(arguments), {} if texts else {"string_padding": False})


def _pair(value: Any) -> Any:
    """A number twice; what is none is left for the operator to take or to refuse."""
    return [value, value] if type(value) is int else value


def _declared(
    conv: Callable[..., Any], target: Any, names: Sequence[str], defaults: Mapping[str, Any]
) -> Callable[..., Any]:
    """The function, which declares what it stands for does, and has its arguments."""
    _, device, fields = declaration_of(target)
    taken = [*("x", "weight", "bias"), *KEYWORDS, *((_MODE,) if _MODE in names else ())]
    vars(conv)["__signature__"] = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in taken])
    return declared_as(conv, "torch", device, {**defaults, **fields})


def _said(what: str, signature: Any, missing: Sequence[str], unknown: Sequence[str]) -> str:
    wrong = {"missing": missing, "without a default": unknown}
    return "; ".join(
        [f"{what} has the signature {signature}; {_EXPECTED}"]
        + [f"{which}: {', '.join(names)}" for which, names in wrong.items() if names]
    )
