"""How a worker is started under a sanitizer, and what is needed for it on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Final

from convcheck.execution.launch import Launch, trusted
from convcheck.model.sanitizers import Sanitizer
from convcheck_reference.errors import ConvcheckError

UNDER: Final = "CONVCHECK_SANITIZER"
"""The environment variable that tells a candidate under which sanitizer it runs, so that it can load another build of
its kernel: what is compiled with AddressSanitizer cannot be loaded without it."""

ASAN_LIBRARY: Final = "CONVCHECK_ASAN"
"""The environment variable that names the runtime library of AddressSanitizer."""

_RUNTIMES: Final = (
    ("gcc", "libasan.so"),
    ("clang", f"libclang_rt.asan-{platform.machine()}.so"),
    ("clang", "libclang_rt.asan.so"),
)
"""What is asked for it otherwise."""

_ASAN_OPTIONS: Final = (
    "detect_leaks=0",  # Python keeps what it will never free
    "detect_odr_violation=0",  # as do engines that hold one library twice
    "alloc_dealloc_mismatch=0",  # no access outside
    "allocator_may_return_null=1",  # a MemoryError is a legal answer
)

_COMPUTE_SANITIZER: Final = "compute-sanitizer"
_COMPUTE_OPTIONS: Final = (
    ("--target-processes", "all"),
    ("--show-backtrace", "device"),
    ("--check-exit-code", "no"),
    ("--require-cuda-init", "no"),
)
_OF_MEMCHECK: Final = (
    ("--report-api-errors", "no"),  # engines ask for what may be absent
    ("--padding", "512"),
)
_OWN_ALLOCATIONS: Final = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1", "XLA_PYTHON_CLIENT_ALLOCATOR": "platform"}
"""Makes each tensor of PyTorch and JAX an allocation of the device, outside of which the sanitizer sees accesses."""

_WRITING: Final = 10.0
"""Seconds that compute-sanitizer has at the end of its process to write what it found."""


class UnavailableSanitizerError(ConvcheckError, RuntimeError):
    """A sanitizer that is not installed here."""


def sanitized(spec: str, sanitizer: Sanitizer, folder: Path) -> Launch:
    """What starts a worker under a sanitizer, as a part of the user's session.

    Args:
        spec: of the backend.
        sanitizer: which.
        folder: its log files go there, each of them named after its process.

    Raises:
        UnavailableSanitizerError: it is not installed.
    """
    usual = trusted(spec)
    environment = {**usual.environment, UNDER: str(sanitizer)}
    if sanitizer is Sanitizer.ADDRESS:
        environment["LD_PRELOAD"] = _joined(needed(sanitizer), environment.get("LD_PRELOAD"))
        own = ":".join((*_ASAN_OPTIONS, f"log_path={folder / 'log'}"))
        environment["ASAN_OPTIONS"] = _joined(environment.get("ASAN_OPTIONS"), own)
        wrapper: tuple[str, ...] = ()
    else:
        environment = {**_OWN_ALLOCATIONS, **environment}
        wrapper = _compute_sanitizer(sanitizer, folder)
    return Launch(
        ("-m", "convcheck.execution.sanitized_worker"),
        environment,
        elsewhere=False,
        spec=usual.spec,
        wrapper=wrapper,
        grace=_WRITING if wrapper else usual.grace,
    )


def needed(sanitizer: Sanitizer) -> str:
    """The path of the library or program that a sanitizer needs.

    Raises:
        UnavailableSanitizerError: it is not installed, or not where it is looked for.
    """
    if sanitizer is Sanitizer.ADDRESS:
        return _asan_library()
    program = shutil.which(_COMPUTE_SANITIZER)
    if program is None:
        raise UnavailableSanitizerError(
            f"--sanitize {sanitizer} needs {_COMPUTE_SANITIZER}, which is not on PATH; it comes with the CUDA toolkit"
        )
    return program


def _compute_sanitizer(sanitizer: Sanitizer, folder: Path) -> tuple[str, ...]:
    chosen = (*_COMPUTE_OPTIONS, *(_OF_MEMCHECK if sanitizer is Sanitizer.MEMCHECK else ()))
    options = (("--tool", str(sanitizer)), *chosen, ("--log-file", str(folder / "log.%p")))
    return (needed(sanitizer), *(word for option in options for word in option), "--")


def _asan_library() -> str:
    named = os.environ.get(ASAN_LIBRARY)
    if named:
        if not Path(named).is_file():
            raise UnavailableSanitizerError(f"{ASAN_LIBRARY}={named} is no file; expected AddressSanitizer's library")
        return named
    for compiler, name in _RUNTIMES:
        program = shutil.which(compiler)
        found = Path("" if program is None else _printed(program, f"-print-file-name={name}"))
        if found.is_absolute() and found.is_file():  # else it only says the name again
            return str(found.resolve())
    raise UnavailableSanitizerError(
        "AddressSanitizer's runtime library was not found: neither gcc nor clang says where it is; "
        f"expected its path in the environment variable {ASAN_LIBRARY}"
    )


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  (compilers)


def _joined(*some: str | None) -> str:
    return ":".join(filter(None, some))
