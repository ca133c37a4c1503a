"""Which files an untrusted candidate sees: its own folder and the machine's libraries, but nothing of the judge.

Looked up once in a process: workers are forked one after the other, and see the same.
"""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from convcheck.plugin.backend_spec import file_of

_SYSTEM: Final = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/run/opengl-driver",
)
_SETTINGS: Final = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "alternatives", "localtime", "locale.alias",
    "nsswitch.conf", "passwd", "group", "OpenCL", "vulkan", "mime.types", "magic", "fonts",
)  # fmt: skip
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_ACCELERATORS: Final = ("nvidia*", "dri", "kfd", "dxg", "infiniband")
_JUDGE: Final = ("convcheck", "convcheck_reference")
_INTERPRETERS: Final = ("python*", "pypy*", "conda*", "ipython*")


@cache
def readable(spec: str, paths: tuple[str, ...], hidden: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files and folders that may be read, with all that is below them; no two overlap.

    Args:
        spec: of the backend; where it names a file, the folder of that is visible.
        paths: where modules are looked for.
        hidden: folders that are not visible, besides the judge's.
    """
    file = file_of(spec)
    own = [] if file is None else [file.parent]
    searched = [Path(path) for path in paths if Path(path).is_absolute()]
    searched += [Path(p) for p in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if Path(p).is_absolute()]
    prefixes = [Path(p) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix, sysconfig.get_path("stdlib"))]
    system = [Path(path) for path in _SYSTEM] + [Path("/etc", name) for name in _SETTINGS]
    judge = [folder / name for folder in (*searched, *own) for name in _JUDGE]
    out = {_real(path) for path in (*hidden, *filter(_is_there, judge))}
    roots = dict.fromkeys(_real(path) for path in filter(_is_there, (*own, *searched, *prefixes, *system)))
    carved = dict.fromkeys(path for root in roots if root != Path("/") for path in without(root, out))
    return tuple(path for path in carved if not any(above in carved for above in path.parents))


@cache
def links(paths: tuple[str, ...]) -> tuple[Path, ...]:
    """The symbolic links on the way to files and folders, which have to be there under their own names too."""
    found: dict[Path, None] = {}
    waiting = [Path(path) for path in (*paths, *_SYSTEM, sys.executable) if Path(path).is_absolute()]
    while waiting:
        at = waiting.pop()
        for link in (each for each in (at, *at.parents) if each not in found and _is_link(each)):
            found[link] = None
            waiting.append(Path(os.path.normpath(link.parent / link.readlink())))
    return tuple(sorted(found))


@cache
def executable(read: tuple[Path, ...]) -> tuple[Path, ...]:
    """Of what may be read, the programs of system and environment, but for Python, in which nobody would watch."""
    system = tuple(_real(Path(path)) for path in (*_SYSTEM, sys.prefix, sys.base_prefix) if _is_there(Path(path)))
    chosen = [path for path in read if any(path == each or each in path.parents for each in system)]
    out = {_real(path) for path in _interpreters()}
    return tuple(path for each in chosen for path in without(each, out) if not _is_link(path))


def devices() -> tuple[Path, ...]:
    """The devices that a candidate may use: those that are always there, and accelerators."""
    folder = Path("/dev")
    found = [folder / name for name in _DEVICES]
    found += [path for pattern in _ACCELERATORS for path in sorted(folder.glob(pattern))]
    return tuple(filter(_is_there, found))


def without(root: Path, hidden: Iterable[Path]) -> Iterator[Path]:
    """A folder less what is hidden: itself, or those of its children that are left, however deep that goes."""
    out = frozenset(hidden)
    if out.isdisjoint(root.parents):
        yield from _without(root, out, frozenset(above for path in out for above in path.parents))


def _without(root: Path, hidden: frozenset[Path], above: frozenset[Path]) -> Iterator[Path]:
    """As above, with all folders that have something hidden in them."""
    if root in hidden:
        return
    if root not in above or _is_link(root):
        yield root
        return
    with suppress(PermissionError):  # who cannot list a folder sees nothing of it either
        for child in sorted(root.iterdir()):
            yield from _without(child, hidden, above)


def by_others(path: Path, *, from_root: bool) -> bool:
    """Whether a user who neither owns a file nor is of its group can read it.

    Args:
        path: the file or folder.
        from_root: whether the folders above it count as well.
    """
    above = path.parents if from_root else ()
    if not all(each.stat().st_mode & stat.S_IXOTH for each in above):
        return False
    wanted = stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH
    return path.stat().st_mode & wanted == wanted


def _interpreters() -> list[Path]:
    own = (Path(sys.prefix, "bin"), Path(sys.base_prefix, "bin"), Path(sys.executable).parent)
    folders = [*map(Path, (*os.get_exec_path(), "/usr/bin", "/usr/local/bin")), *Path("/opt").glob("*/bin"), *own]
    found = []
    for folder in dict.fromkeys(folders):
        with suppress(PermissionError):
            found += [path for pattern in _INTERPRETERS for path in folder.glob(pattern)]
    return found


def _is_there(path: Path) -> bool:
    """Whether this user finds it."""
    try:
        return path.exists()
    except PermissionError:
        return False


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except PermissionError:
        return False


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
