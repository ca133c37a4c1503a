"""What a sanitizer wrote: each of its reports in a line without addresses and folders, the same in every run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from convcheck.model.sanitizers import Sanitizer

_ASAN_HEAD: Final = re.compile(r"ERROR: AddressSanitizer: (.+)")
_ASAN_KIND_ENDS: Final = re.compile(r" on (?:unknown )?address| on 0x|: | \(")
_ASAN_ACCESS: Final = re.compile(r"(?:READ|WRITE) of size \d+")
_ASAN_FRAME: Final = re.compile(r"\s*#\d+ 0x\w+ in (\S+)(?: (\S+:\d+))?")
_ASAN_PLACE: Final = re.compile(r"is located (\d+ bytes .*? region)")
_OF_THE_SANITIZER: Final = ("__interceptor_", "__asan_", "__sanitizer_", "operator new", "operator delete")

_LINE: Final = "========="
_AT: Final = re.compile(r"at |and (?:Read|Write) access|(?:Read|Write) Thread", re.IGNORECASE)
_WHY: Final = re.compile(r"(?:Address|Access) .*\bis |and is |Barrier is ")
_THREAD: Final = re.compile(r"by thread \(")
_LESS_THAN_AN_ERROR: Final = re.compile(r"(?:warning|info)\b", re.IGNORECASE)


def reports(sanitizer: Sanitizer, text: str) -> tuple[str, ...]:
    """The reports in what a sanitizer wrote, in order, each once.

    Of compute-sanitizer, what says where on the device something went wrong is a report: summaries, warnings, errors of
    the programming interface and those of the sanitizer itself are none. Nor is a copy of unwritten memory to the host:
    we make some ourselves, to look for poison, and whether a result is written is seen there.
    """
    found = _of_asan(text) if sanitizer is Sanitizer.ADDRESS else _of_compute_sanitizer(text)
    return tuple(dict.fromkeys(found))


def _of_asan(text: str) -> Iterator[str]:
    for head in _ASAN_HEAD.finditer(text):
        rest = text[head.end() :].partition(_ASAN_HEAD.pattern)[0]
        stack = rest.partition("\n\n")[0]
        kind = _ASAN_KIND_ENDS.split(head[1])[0]
        access, place = _ASAN_ACCESS.search(stack), _ASAN_PLACE.search(rest)
        words = [kind, *([access[0]] if access else []), *_frame(stack)]
        yield " ".join(words) + (f", {place[1]}" if place else "")


def _frame(stack: str) -> Iterator[str]:
    """The function that did it, of the candidate's own where the first is one that the sanitizer stands in for."""
    frames = [match for line in stack.splitlines() if (match := _ASAN_FRAME.match(line))]
    own = [frame for frame in frames if not frame[1].startswith(_OF_THE_SANITIZER)]
    for name, source in (frame.groups() for frame in own[:1]):
        yield f"in {name}" + (f" at {_plain(source)}" if source else "")


def _of_compute_sanitizer(text: str) -> Iterator[str]:
    for head, details in _blocks(text):
        places = [detail for detail in details if _AT.match(detail)]
        if _LESS_THAN_AN_ERROR.match(head) or not (places or any(map(_THREAD.match, details))):
            continue
        why = [detail for detail in details if _WHY.match(detail)]
        first, *others = [*places[:1], *why] or [""]
        yield _plain(", ".join([f"{head.removeprefix('Error: ')} {first}".rstrip(" :"), *others]))


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each line of its own with those indented below it."""
    head, details = "", list[str]()
    for line in text.splitlines():
        body = line.removeprefix(_LINE)
        if not line.startswith(_LINE):
            continue  # of the candidate
        if body.startswith("  "):
            details.append(body.strip())
            continue
        if head:
            yield head, details
        head, details = body.strip(), []
    if head:
        yield head, details


def _plain(text: str) -> str:
    """Without what differs from run to run: addresses, offsets, folders and numbers of hazards."""
    text = re.sub(r"\+0x[0-9a-f]+| \[\d+ hazards?\]", "", text)
    text = re.sub(r"(?: (?:at|to|by))? 0x[0-9a-f]+", "", text)
    return re.sub(r"(?<![\w.])/?(?:[\w.+-]+/)+(?=[\w.+-]+)", "", text)
