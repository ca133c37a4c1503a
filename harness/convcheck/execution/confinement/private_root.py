"""A file system of one's own: a process sees, at their own places, what is mounted for it, and nothing else exists.

Everything is read-only but one folder. See mount_namespaces(7) and pivot_root(2).
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from convcheck.execution.confinement.linux import GENERIC, PIVOT_ROOT, call, function, machine

_READ_ONLY: Final = 1
_NO_SETUID: Final = 2
_NO_DEVICES: Final = 4
_NO_PROGRAMS: Final = 8
_REMOUNT: Final = 32
_BIND: Final = 4096
_RECURSIVE: Final = 16384
_PRIVATE: Final = 1 << 18
_DETACH: Final = 2
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_SIZE_OF_DEVICES: Final = "size=1g,mode=1777"


def enter(read: Iterable[Path], links: Iterable[Path], devices: Iterable[Path], private: Path) -> None:
    """Make a new root of this mount namespace, and go there; the folder that one is in becomes the private one.

    Args:
        read: files and folders that are there, read-only.
        links: symbolic links that are there.
        devices: files that are there as they are.
        private: a folder that can be written to, where the new root is built.

    Raises:
        OSError: the system refused.
    """
    _mount(None, Path("/"), flags=_PRIVATE | _RECURSIVE)
    kept = os.open(private, os.O_PATH | os.O_DIRECTORY)
    _mount("tmpfs", private, kind="tmpfs", options="mode=755")
    for path in sorted(read):
        _show(path, private)
    for link in links:
        _link(link, private)
    for device in devices:
        with suppress(OSError):  # one that this user may not have
            _bind(str(device), _place(device, private))
    shared = _place(Path("/dev/shm"), private, folder=True)  # noqa: S108  (a new and empty one)
    _mount("tmpfs", shared, kind="tmpfs", flags=_NO_SETUID | _NO_DEVICES, options=_SIZE_OF_DEVICES)
    if Path("/sys/devices").is_dir():
        _show(Path("/sys"), private)
    # without what is mounted there by now
    _mount(f"/proc/self/fd/{kept}", _place(private, private, folder=True), flags=_BIND)
    os.close(kept)
    with suppress(OSError):  # the system wants another one to be there, with nothing of it hidden
        _show_processes(_place(Path("/proc"), private, folder=True))
    os.chdir(private)
    call(PIVOT_ROOT[machine()], ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    function("umount2", ctypes.c_char_p(b"."), _DETACH)
    _mount(None, Path("/"), flags=_REMOUNT | _BIND | _READ_ONLY | _NO_SETUID | _NO_DEVICES)
    os.chdir(private)


def _show_processes(place: Path) -> None:
    _mount("proc", place, kind="proc", flags=_READ_ONLY | _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)


def _show(path: Path, root: Path) -> None:
    if path.is_symlink():
        _link(path, root)
        return
    place = _place(path, root, folder=path.is_dir())
    _bind(str(path), place)
    _read_only(place)


def _link(link: Path, root: Path) -> None:
    place = _below(link, root)
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        place.symlink_to(link.readlink())


def _place(path: Path, root: Path, *, folder: bool = False) -> Path:
    """Where a file or folder is mounted in a new root."""
    place = _below(path, root)
    (place if folder else place.parent).mkdir(parents=True, exist_ok=True)
    if not folder:
        place.touch()
    return place


def _below(path: Path, root: Path) -> Path:
    return root / path.relative_to("/")


def _bind(source: str, place: Path) -> None:
    _mount(source, place, flags=_BIND | _RECURSIVE)


def _read_only(place: Path) -> None:
    """With all that is mounted below it."""
    attributes = struct.pack("QQQQ", _READ_ONLY | _NO_SETUID | _NO_DEVICES, 0, 0, 0)
    call(GENERIC["mount_setattr"], _AT_FDCWD, ctypes.c_char_p(os.fsencode(place)), _AT_RECURSIVE, attributes, 32)


def _mount(source: str | None, place: Path, *, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    names = [None if name is None else ctypes.c_char_p(os.fsencode(name)) for name in (source, place, kind)]
    function("mount", *names, ctypes.c_ulong(flags), ctypes.c_char_p(options.encode()))
