"""Putting up the walls, from inside: the last that this process does before it loads an untrusted candidate."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from convcheck.execution.confinement import landlock, private_root, privileges, seccomp, visible
from convcheck.execution.confinement.linux import on_linux
from convcheck.execution.confinement.walls import Means, Walls
from convcheck.plugin.backend_spec import file_of

_SHOWN_OF_PROC: Final = (
    "self", "cpuinfo", "meminfo", "stat", "filesystems", "version", "loadavg", "devices", "driver/nvidia",
    "sys/vm/overcommit_memory", "sys/kernel/osrelease",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What a candidate is to see.

    Attributes:
        read: files and folders that it may read.
        links: symbolic links on the way to them.
        private: the folder that it may write to.
        nobody: whether nobody may read all of them.
    """

    read: tuple[Path, ...]
    links: tuple[Path, ...]
    private: Path
    nobody: bool

    @classmethod
    def of(cls, spec: str, paths: tuple[str, ...], hidden: tuple[Path, ...], *, own_root: bool) -> Enclosure:
        """What the candidate of a spec is to see, from the folder that this process works in.

        Args:
            spec: of the backend.
            paths: where modules are looked for.
            hidden: folders that are not to be seen, besides the judge's.
            own_root: whether folders above those that it sees will be there under their permissions.
        """
        read = visible.readable(spec, paths, hidden)
        if own_root:  # there a folder is as good as its contents
            read = tuple(path for each in read for path in _opened(each))
        file = file_of(spec)
        own = [] if file is None else [file]
        wanted = [*own, *map(Path, paths)]
        nobody = all(_by_others(path, read, own_root=own_root) for path in wanted if path.exists())
        return cls(read, visible.links(paths), Path.cwd(), nobody)

    def enter(self) -> None:
        """Go where nothing but this is.

        Raises:
            OSError: the system refused.
        """
        private_root.enter(self.read, self.links, visible.devices(), self.private)

    def close(
        self,
        means: Means,
        *,
        own_root: bool,
        bubblewrap: bool,
        users: bool,
        kept: Sequence[int],
        missing: dict[str, str],
    ) -> Walls:
        """Put up what walls there can be; each that cannot is told of.

        Args:
            means: what may be used.
            own_root: whether this process has entered already.
            bubblewrap: whether it is in bubblewrap's namespaces.
            users: whether it did so in a namespace of users.
            kept: descriptors that have to stay what they are.
            missing: why others do not stand; those that cannot be put up are added.
        """
        privileges.leave_no_core()
        memory = _tried(missing, "memory", lambda: _limited(means.memory))
        nobody = self._nobody(means, missing, users=users)
        capabilities = not (on_linux() and _tried(missing, "capabilities", privileges.give_up_capabilities))
        version = min(means.landlock, landlock.version())
        files = self._files(own_root=own_root)
        held = version and _tried(missing, "landlock", lambda: landlock.restrict(version, *files))
        within = None if own_root or bubblewrap or (held and version >= landlock.OF_SIGNALS) else os.getpid()
        filtered = means.seccomp and seccomp.available()
        filtered = filtered and _tried(missing, "seccomp", lambda: seccomp.restrict(kept=kept, signals_within=within))
        return Walls(
            own_root=own_root,
            bubblewrap=bubblewrap,
            users=users,
            landlock=version if held else 0,
            seccomp=bool(filtered),
            nobody=nobody,
            capabilities=capabilities,
            memory=_memory(means.memory) if memory else 0,
            missing=tuple(missing.items()),
        )

    def _nobody(self, means: Means, missing: dict[str, str], *, users: bool) -> bool:
        if not (means.another_uid and on_linux()) or users or os.geteuid() != 0:
            return False
        if not self.nobody:
            missing["nobody"] = "files that it needs can be read by their owner only"
            return False
        return _tried(missing, "nobody", self._become_nobody)

    def _become_nobody(self) -> None:
        os.chown(self.private, privileges.NOBODY, privileges.NOBODY)
        privileges.become_nobody()

    def _files(self, *, own_root: bool) -> tuple[list[Path], list[Path], list[Path]]:
        """What may be read, executed and written to, as Landlock is to hold it."""
        write = [self.private, *visible.devices(), *([Path("/dev/shm")] if own_root else [])]  # noqa: S108
        of_system = [Path("/proc", name) for name in _SHOWN_OF_PROC] + [Path("/sys")]
        # Landlock would follow a link to what it leads to, which may be hidden
        named = [path for path in self.read if not path.is_symlink()]
        read = [Path("/")] if own_root else [*named, *of_system, *visible.devices()]
        return read, list(visible.executable(self.read)), write


def _opened(path: Path) -> tuple[Path, ...]:
    """A folder that is closed to others as what is in it."""
    if path.is_symlink() or not path.is_dir() or visible.by_others(path, from_root=False):
        return (path,)
    return tuple(sorted(path.iterdir()))


def _by_others(path: Path, read: Sequence[Path], *, own_root: bool) -> bool:
    real = Path(os.path.realpath(path))
    if own_root and any(real in each.parents for each in read):  # it will be made anew
        return True
    return visible.by_others(real, from_root=not own_root)


def _tried(missing: dict[str, str], name: str, put_up: Callable[[], object]) -> bool:
    try:
        put_up()
    except (OSError, ValueError) as error:
        missing[name] = str(error)
        return False
    return True


def _limited(memory: int | None) -> None:
    privileges.limit_memory(_memory(memory))


def _memory(memory: int | None) -> int:
    return memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
