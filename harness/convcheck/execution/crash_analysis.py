"""What a candidate that died did to memory: found out by repeating the call with its tensors elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from convcheck.model.calls import Call, Memory

_WORDS = {
    "guard_after": "it read or wrote beyond the end of {}",
    "guard_after_aligned": "it read or wrote beyond the end of {}",
    "guard_before": "it read or wrote before the start of {}",
    "read_only": "it wrote to {}",
}


def explain(call: Call, dies: Callable[[Call], bool]) -> str:
    """What it did, in words; empty if it dies wherever the tensors lie, or not every time.

    Args:
        call: in which it died.
        dies: whether it dies in a call, put to a fresh process after each death.
    """
    guarded = {name: tensor.memory for name, tensor in call.tensors.items() if tensor.memory != "heap"}
    if not guarded or dies(_placed(call, {})):
        return ""
    for name, memory in guarded.items():
        if dies(_placed(call, {name: memory})):
            wrote = memory != "read_only" and dies(_placed(call, {name: "read_only"}))
            return _WORDS["read_only" if wrote else memory].format(name)
    return ""


def _placed(call: Call, memory: dict[str, Memory]) -> Call:
    """The call with its tensors on the heap, those named in `memory` excepted."""
    tensors = {name: replace(tensor, memory=memory.get(name, "heap")) for name, tensor in call.tensors.items()}
    return replace(call, tensors=tensors, buffers="fresh")
