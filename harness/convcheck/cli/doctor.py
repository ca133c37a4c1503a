"""The command that says what there is: this machine, its devices, the packages, what convcheck has to watch memory.

Versions come from the metadata of packages: an engine is imported where a backend of it is asked for, in a worker.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Annotated, Final

import typer

from convcheck.cli.output import say
from convcheck.execution import open_candidate
from convcheck.execution.launch import trusted
from convcheck.execution.sanitizer_launch import UnavailableSanitizerError, needed
from convcheck.model.capabilities import Capabilities
from convcheck.model.sanitizers import Sanitizer
from convcheck.plugin.backend import UnavailableError
from convcheck.report.tables import printable, table
from convcheck_reference.errors import ConvcheckError

UNUSABLE = 2

_OWN: Final = ("numpy", "ml_dtypes", "hypothesis", "torch")
_ENGINES: Final = ("triton", "jax", "jaxlib", "cupy", "mlx", "onnxruntime", "tensorflow")
_VARIABLES: Final = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING", "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
    *("TRITON_INTERPRET", "XLA_FLAGS", "JAX_ENABLE_X64", "JAX_PLATFORMS"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GLIBC_TUNABLES", "LD_PRELOAD", "ASAN_OPTIONS"),
)
_ANSWER_LIMIT: Final = 20.0
"""Seconds for a program to answer."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table.

    Attributes:
        about: what it is about.
        found: what there is.
        advice: what to do about it; empty where nothing is wrong.
    """

    about: str
    found: str
    advice: str = ""


def doctor(
    backend: Annotated[
        list[str] | None, typer.Option("--backend", "-b", help="load it in a worker, and say what it is")
    ] = None,
) -> None:
    """Say which devices, drivers, packages and settings there are, and what to do about what is wrong."""
    facts = [*_machine(), *_packages(), *_nvidia(), *_settings(), *_memory()]
    say(_shown(facts))
    usable = True
    for spec in backend or ():
        of_backend = list(_backend(spec))
        usable &= not any(fact.advice for fact in of_backend)
        facts += of_backend
        say("\n" + _shown(of_backend))
    problems = [printable(f"{fact.about}: {fact.advice}") for fact in facts if fact.advice]
    say("\n" + ("\n".join(problems) or "nothing is wrong"))
    raise typer.Exit(0 if usable else UNUSABLE)


def _shown(facts: list[Fact]) -> str:
    return table(["what", "found"], [[fact.about, fact.found] for fact in facts], "text")


def _machine() -> Iterator[Fact]:
    yield Fact("convcheck", _version("convcheck") or "not installed")
    yield Fact("Python", f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}")
    forks = hasattr(os, "fork")
    yield Fact(
        "platform",
        f"{platform.platform()}, {platform.processor() or platform.machine()}",
        "" if forks else "workers are forked, which takes Linux or macOS; run with --in-process here",
    )
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Fact("cores", f"{usable} of {os.cpu_count()}")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield Fact("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB")


def _version(distribution: str) -> str:
    """The version of a package that is installed; empty for none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _packages() -> Iterator[Fact]:
    distributions = packages_distributions()
    for package in (*_OWN, *_ENGINES):
        found = ", ".join(f"{name} {version(name)}" for name in sorted(set(distributions.get(package, ()))))
        if found or package in _OWN:
            advice = f"install it: pip install {package}"
            yield Fact(package, found.removeprefix(f"{package} ") or "absent", "" if found else advice)


def _nvidia() -> Iterator[Fact]:
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Fact("NVIDIA", "no nvidia-smi on PATH")
        return
    query = "--query-gpu=name,driver_version,memory.total"
    try:
        cards = _answer([program, query, "--format=csv,noheader"]).splitlines()
    except (OSError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stdout", "") or str(error)).strip().splitlines()[:1]
        yield Fact("NVIDIA", f"nvidia-smi fails: {''.join(told)}", "mend the driver: nvidia-smi has to list the cards")
        return
    for number, card in enumerate(cards):
        yield Fact(f"NVIDIA card {number} (name, driver, memory)", card)
    if cards and _version("torch").endswith("+cpu"):
        yield Fact(
            "torch and NVIDIA",
            "this torch is built for the CPU",
            "for backends on CUDA install a torch that is built for it: https://pytorch.org/get-started/locally",
        )


def _settings() -> Iterator[Fact]:
    for name in _VARIABLES:
        if name in os.environ:
            advice = ""
            if name == "NVIDIA_TF32_OVERRIDE" and os.environ[name] != "0":
                advice = "unset it: it makes every float32 product on the card one of TF32, whatever a backend asks for"
            if name == "CUDA_VISIBLE_DEVICES" and os.environ[name] in ("", "-1"):
                advice = "it hides every card; unset it for backends on CUDA"
            yield Fact(name, os.environ[name], advice)


def _memory() -> Iterator[Fact]:
    poisons = _allocator_poisons()
    yield Fact(
        "poison in new memory",
        "in force in workers" if poisons else "not in force",
        ""
        if poisons
        else "elements that are never written show less often; it takes glibc, and no other allocator in LD_PRELOAD",
    )
    yield Fact("compute-sanitizer", _needed(Sanitizer.MEMCHECK))
    yield Fact("AddressSanitizer's runtime", _needed(Sanitizer.ADDRESS))


def _allocator_poisons() -> bool:
    """Whether it does in a process that is started as workers are."""
    question = "from convcheck.tensors.poison import allocator_poisons; print(allocator_poisons())"
    try:
        return _answer([sys.executable, "-c", question], dict(trusted("").environment)).strip() == "True"
    except (OSError, subprocess.SubprocessError):
        return False


def _needed(sanitizer: Sanitizer) -> str:
    try:
        return needed(sanitizer)
    except UnavailableSanitizerError:
        return "not found"


def _answer(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a program prints.

    Raises:
        OSError: it cannot be started.
        subprocess.SubprocessError: it fails, or does not answer in time.
    """
    done = subprocess.run(  # noqa: S603  (ours, or the driver's own)
        command, capture_output=True, text=True, check=True, timeout=_ANSWER_LIMIT, env=environment
    )
    return done.stdout


def _backend(spec: str) -> Iterator[Fact]:
    """What a backend is, once it has been loaded in a worker; what is in the way, with advice, otherwise."""
    begun = time.perf_counter()
    try:
        candidate = open_candidate(spec)
    except ConvcheckError as error:
        said = str(error).strip()
        first, last = said.splitlines()[0], said.splitlines()[-1]
        found = "unavailable" if isinstance(error, UnavailableError) else type(error).__name__
        yield Fact(f"backend {spec}", found, first if first == last else f"{first} {last}")
        return
    seconds = time.perf_counter() - begun
    yield Fact(f"backend {spec}", f"{candidate.name}, ready after {seconds:.1f} s")
    for about, found in (*_summary(candidate.capabilities), *candidate.versions.items()):
        yield Fact(about, found)
    candidate.close()


def _summary(capabilities: Capabilities) -> Iterator[tuple[str, str]]:
    yield "dtypes", ", ".join(capabilities.dtypes)
    yield "padding modes", ", ".join(capabilities.padding_modes)
    yield "layouts", ", ".join(capabilities.layouts)
    traits = {f.name: getattr(capabilities, f.name) for f in fields(capabilities) if str(f.type).startswith("bool")}
    yield "yes", ", ".join(name for name, holds in traits.items() if holds)
    yield "no", ", ".join(name for name, holds in traits.items() if not holds)
    if capabilities.excludes:
        yield "excludes", "; ".join(capabilities.excludes)
