"""Finding a backend by what a user types: an entry point, a file, a dotted name, or a registered object."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from convcheck.model.capabilities import Capabilities, CapabilityError
from convcheck.plugin.array_trial import UnknownArraysError
from convcheck.plugin.backend import Backend, UnavailableError
from convcheck.plugin.backend_spec import EXPECTED, check_spec, options_of, parted
from convcheck.plugin.candidate_errors import RAISED, raised
from convcheck.plugin.constructor_options import constructor_arguments
from convcheck.plugin.function_backend import FunctionBackend, SignatureError, library_of
from convcheck.plugin.imports import attribute_of, module_named, module_of_file
from convcheck.plugin.live import importing, lent_as
from convcheck.plugin.missing_engine import absence, advice, requirements_of
from convcheck.plugin.module_backend import ModuleBackend, is_module_class
from convcheck.plugin.registry_errors import (
    BackendConstructorError,
    BackendImportError,
    BackendNameError,
    BackendSignatureError,
    DuplicateBackendError,
)
from convcheck.plugin.torch_bridge import preload_autograd
from convcheck.plugin.torch_functions import as_function, is_function_class
from convcheck_reference.errors import ConvcheckError

GROUP: Final = "convcheck.backends"

_LONGEST_NAME: Final = 200
"""Characters of a backend's name, which is in every table."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed backend, as its package's metadata have it.

    Attributes:
        name: on the command line.
        target: package.module:Name.
        distribution: the package that brings it, with its version.
    """

    name: str
    target: str
    distribution: str


class Registry:
    """Names given to backends in this process, on top of the installed entry points."""

    def __init__(self) -> None:
        self._specs: dict[str, str] = {}

    def register(self, target: Any, name: str | None = None) -> Any:
        """Register a plain function or a `Backend` subclass under a name; returns it, so it decorates.

        A worker process finds it again by its file and name, so it must stand at the top of a module.

        Raises:
            BackendSignatureError: a lambda, a local function or an instance, or a name in the place of a function.
            DuplicateBackendError: the name is taken by something else.
        """
        _check_registered(target, name)
        qualified = getattr(target, "__qualname__", "")
        module = sys.modules.get(getattr(target, "__module__", "") or "")
        path = getattr(module, "__file__", None)
        if not qualified.isidentifier() or path is None:
            raise BackendSignatureError(
                f"{target!r} cannot be registered: a worker process finds a backend by its file and name, so "
                f"it must be a function or class at the top of a module; or pass path/to/file.py:name"
            )
        name = name or getattr(target, "name", None) or qualified
        spec = f"{Path(path).resolve()}:{qualified}"
        if self._specs.get(name, spec) != spec or name in _installed():
            raise DuplicateBackendError(f"a backend named {name!r} exists; register this one under another name")
        self._specs[name] = spec
        return target

    def resolve(self, spec: str) -> str:
        """The spec that any process understands: registered names become path/to/file.py:name."""
        name, options = parted(spec)
        return f"{self._specs.get(name, name)}{options}"


def _check_registered(target: Any, name: Any) -> None:
    """Refuse arguments in the other order, `@register("mine")`, and names that are none."""
    if isinstance(target, str):
        first = getattr(name, "__name__", "function")
        raise BackendSignatureError(
            f"register({target!r}{'' if name is None else f', {first}'}): the function or class comes first, then its "
            f"name; write register({first}, {target!r})"
        )
    if name is not None and not isinstance(name, str):
        raise BackendSignatureError(f"register(…, {name!r}): expected a name, such as 'mine', or none")


REGISTRY: Final = Registry()
"""The registry of this process, for conftest files and notebooks."""

register = REGISTRY.register


def resolve(spec: str) -> str:
    """What a worker process can load: see `Registry.resolve`.

    Raises:
        BackendNameError: no file or module can be called so.
    """
    check_spec(spec)
    return REGISTRY.resolve(spec)


def load(spec: str) -> Backend:
    """The backend that `spec` names: an entry point, path/to/file.py:name, package.module:Name.

    Options may follow, `?threads=2&baked=yes`, which the constructor of a class gets as keywords.

    Raises:
        RegistryError: see `convcheck.plugin.registry_errors`.
        UnavailableError: the backend exists, but its device or engine is absent.
        CapabilityError: its capabilities contradict its methods.
    """
    spec = resolve(spec)
    return _instantiate(_target(spec), spec)


def preload(spec: str) -> None:
    """Import the module of a backend, and what its engine imports at its first call, so that a fork has them.

    Whose arrays a function takes is found out here as well, once for all forks.

    Raises:
        RegistryError: it cannot be imported.
        SignatureError, UnknownArraysError: it is a function that cannot be called.
    """
    target = _target(resolve(spec))
    if _is_function(target) and library_of(as_function(target)) == "torch":
        module_named("torch")
    preload_autograd()
    if isinstance(target, type) and issubclass(target, Backend):
        with suppress(Exception):  # what it meets there, the first call meets as well, and that is reported
            target.preload()


def installed_target(spec: str) -> str:
    """`spec` as path/to/file.py:name or package.module:Name, entry points looked up."""
    target, options = parted(resolve(spec))
    location, _, name = target.rpartition(":")
    if not location:
        return f"{_installed()[name].value}{options}"
    return f"{Path(location).resolve() if location.endswith('.py') else location}:{name}{options}"


def installed() -> tuple[Installed, ...]:
    """Every installed backend by name. None is imported, since an engine takes seconds.

    Raises:
        DuplicateBackendError: two packages have backends of one name.
    """
    return tuple(
        Installed(name, entry.value, "" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}")
        for name, entry in sorted(_installed().items())
    )


def _target(spec: str) -> Any:
    name = parted(spec)[0]
    found = lent_as(name)
    if found is not None:
        return found
    with importing():
        return _imported(name)


def _imported(spec: str) -> Any:
    location, colon, name = spec.rpartition(":")
    if not colon:
        return _from_entry_point(spec)
    if location.endswith(".py") or "/" in location or "\\" in location:
        return attribute_of(module_of_file(Path(location)), name, location)
    if not all(part.isidentifier() for part in location.split(".")):
        raise BackendNameError(f"{location!r} is no module; {EXPECTED}")
    return attribute_of(module_named(location), name, location)


@cache  # what is installed is looked up on disk, which takes longer than a call
def _installed() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        if entry.name in found and found[entry.name].value != entry.value:
            raise DuplicateBackendError(
                f"two installed packages name a backend {entry.name!r}: {found[entry.name].value} and "
                f"{entry.value}; uninstall one, or pass package.module:Name"
            )
        found[entry.name] = entry
    return found


def _from_entry_point(name: str) -> Any:
    installed = _installed()
    if name not in installed:
        near = get_close_matches(name, installed, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BackendNameError(
            f"no backend is named {name!r}; {hint}installed are {', '.join(sorted(installed)) or 'none'}; "
            f"your own is path/to/file.py:name or package.module:Name"
        )
    try:
        return installed[name].load()
    except UnavailableError:
        raise
    except RAISED as error:
        wrong = BackendImportError(f"backend {name!r} cannot be imported: {raised(error)}{advice(error)}")
        raise absence(error, installed[name].module, _requirements(name)) or wrong from error


def _instantiate(target: Any, spec: str) -> Backend:
    name = parted(spec)[0].rpartition(":")[2]
    options = constructor_arguments(target, name, options_of(spec))
    if isinstance(target, Backend):
        return _validated(target, spec)
    if _is_function(target) or _is_class_of_torch(target):
        kind = ModuleBackend if is_module_class(target) else FunctionBackend
        try:
            return _validated(kind(as_function(target), name), spec)
        except (SignatureError, UnknownArraysError) as error:
            raise BackendSignatureError(f"{spec}: {error}") from error
        except (ConvcheckError, UnavailableError):
            raise
        except RAISED as error:
            raise BackendSignatureError(f"{spec} cannot be asked for its signature: {raised(error)}") from error
    if not (inspect.isclass(target) and issubclass(target, Backend)):
        raise BackendSignatureError(
            f"{spec} is a {type(target).__name__}; expected a function with the signature of "
            f"torch.nn.functional.conv2d, a subclass of convcheck.Backend or of torch.autograd.Function, or a "
            f"torch.nn.Module like torch.nn.Conv2d"
        )
    try:
        backend = target(**options)
    except UnavailableError:
        raise
    except RAISED as error:
        wrong = BackendConstructorError(f"the constructor of {spec} raised {raised(error)}{advice(error)}")
        raise absence(error, requirements=_requirements(spec)) or wrong from error
    return _validated(backend, spec)


def _requirements(spec: str) -> Sequence[str]:
    """Those of the distribution that brings a backend; nothing for a file, or an object of this process."""
    name = parted(spec)[0]
    location = name.rpartition(":")[0]
    if location:
        return requirements_of(location)
    entry = _installed().get(name)
    return [] if entry is None or entry.dist is None else entry.dist.requires or []


def _is_class_of_torch(target: Any) -> bool:
    """Whether it is a class of torch's that stands for a convolution."""
    return is_module_class(target) or is_function_class(target)


def _is_function(target: Any) -> bool:
    return callable(target) and not inspect.isclass(target) and not isinstance(target, Backend)


def _validated(backend: Backend, spec: str) -> Backend:
    try:
        name, capabilities = getattr(backend, "name", None), getattr(backend, "capabilities", None)
    except RAISED as error:  # of properties
        raise BackendSignatureError(f"asking {spec} for its name and capabilities raised {raised(error)}") from error
    if not isinstance(name, str):
        raise BackendSignatureError(f"{spec} has no name; set the class attribute name = '…'")
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise BackendSignatureError(
            f"{spec} is named {name[:_LONGEST_NAME]!r}; expected at most {_LONGEST_NAME} characters that can be shown"
        )
    if not isinstance(capabilities, Capabilities):
        raise CapabilityError(f"{spec} has no capabilities; set capabilities = convcheck.Capabilities(dtypes=(…), …)")
    for declared, method in (
        (True, "conv2d"),
        (capabilities.gradients, "conv2d_backward"),
        (capabilities.partial_gradients, "conv2d_partial_backward"),
        (capabilities.autograd or bool(capabilities.transforms), "recorded"),
        (bool(capabilities.double_backward), "conv2d_double_backward"),
        (capabilities.module, "make_module"),
    ):
        if declared and getattr(type(backend), method) is getattr(Backend, method):
            raise CapabilityError(f"{spec} declares what it does not have: write {method}, or do not declare it")
    return backend
