"""The command that repeats a finding."""

from __future__ import annotations

import shlex

from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction
from convcheck.plugin.live import is_live, python_name


def replay_command(finding: Finding) -> str:
    """The command line that repeats a finding, in Python for an object that has no other name; empty for no case."""
    reproduction, name = finding.reproduction, finding.backend
    if not (is_live(name) and reproduction.token):
        return shlex.join(replay_arguments(finding))
    what = [f"history={reproduction.history!r}"] if reproduction.history else map(repr, _tokens(reproduction))
    return f"convcheck.replay({', '.join([python_name(name), *what])})"


def replay_arguments(finding: Finding) -> list[str]:
    """The parts of that command line; none where no case is to blame, or no other process finds the backend."""
    reproduction = finding.reproduction
    if not reproduction.token or is_live(finding.backend):
        return []
    what = ["--history", reproduction.history] if reproduction.history else _tokens(reproduction)
    return ["convcheck", "replay", *what, *_under(finding), "--backend", finding.backend]


def _under(finding: Finding) -> list[str]:
    """What has to watch the call, so that anything of the kind is seen at all."""
    if finding.reproduction.sanitizer:
        return ["--sanitize", finding.reproduction.sanitizer]
    return ["--untrusted"] if finding.verdict.quantity == "work" else []


def _tokens(reproduction: Reproduction) -> tuple[str, ...]:
    return *reproduction.setup_cases, reproduction.token
