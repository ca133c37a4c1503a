"""Checks from a program: `convcheck.check` and `convcheck.replay` in a script, a notebook or a test."""

from convcheck.checking.candidates import CheckError
from convcheck.checking.checking import check
from convcheck.checking.replaying import Replayed, replay
from convcheck.checking.result import CheckResult, FindingsError

__all__ = ["CheckError", "CheckResult", "FindingsError", "Replayed", "check", "replay"]
