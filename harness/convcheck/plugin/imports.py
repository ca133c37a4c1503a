"""What a spec points to: the module of a file or of a dotted name, and a name in it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.candidate_errors import RAISED, raised
from convcheck.plugin.missing_engine import absence, advice, requirements_of
from convcheck.plugin.registry_errors import BackendFileError, BackendImportError, BackendNameError


def module_of_file(path: Path) -> ModuleType:
    try:
        path = path.expanduser().resolve()
        found = path.is_file()
    except (OSError, RuntimeError) as error:  # a name that is too long, a user that is unknown
        raise BackendFileError(f"{path} cannot be looked for: {error}; expected path/to/file.py:name") from error
    if path.suffix != ".py":
        raise BackendFileError(f"{path} is no Python file; expected path/to/file.py:name")
    if not found:
        raise BackendFileError(
            f"{path} {'is no file' if path.exists() else 'does not exist'}; expected path/to/file.py:name"
        )
    # a name of its own, so that a file called torch.py shadows nothing
    unique = f"_convcheck_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if unique in sys.modules:
        return sys.modules[unique]
    specification = importlib.util.spec_from_file_location(unique, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[unique] = module
    sys.path.append(str(path.parent))  # for its siblings; last, so that it shadows nothing
    try:
        specification.loader.exec_module(module)
    except UnavailableError:
        del sys.modules[unique]
        raise
    except RAISED as error:
        del sys.modules[unique]
        wrong = f"{path} cannot be imported: {raised(error)}{advice(error, path.parent)}"
        raise absence(error) or BackendImportError(wrong) from error
    return module


def module_named(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except UnavailableError:
        raise
    except RAISED as error:
        absent = absence(error, asked=module, requirements=requirements_of(module))
        raise absent or BackendImportError(f"module {module!r} cannot be imported: {raised(error)}") from error


def attribute_of(module: ModuleType, name: str, location: str) -> Any:
    if not name:
        raise BackendNameError(f"{location}: no name after the colon; expected {location}:name")
    try:
        return getattr(module, name)
    except AttributeError as error:
        public = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        near = get_close_matches(name, public, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BackendNameError(
            f"{location} has no {name!r}; {hint}callable there: {', '.join(public) or 'nothing'}"
        ) from error
    except RAISED as error:  # of the module's own
        raise BackendImportError(f"asking {location} for {name!r} raised {raised(error)}") from error
