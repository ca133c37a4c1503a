"""The lines of a record with one value somewhere in them replaced."""

import json

from hypothesis import strategies as st

from convcheck.model.record_lines import to_lines
from full_record import RECORD

LINES = tuple(to_lines(RECORD))

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.sampled_from(["C2D-PAD-1", "fail", "float32"]),
)  # fmt: skip


def places(value, at=()):
    """Every place in nested lists and dictionaries."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*at, name)
        yield from places(one, (*at, name))


@st.composite
def altered_lines(draw, values=VALUES):
    number = draw(st.sampled_from(sorted({json.loads(line)["kind"]: at for at, line in enumerate(LINES)}.values())))
    entry = json.loads(LINES[number])
    *parents, name = draw(st.sampled_from(list(places(entry))))
    inner = entry
    for parent in parents:
        inner = inner[parent]
    inner[name] = draw(values)
    return [*LINES[:number], json.dumps(entry), *LINES[number + 1 :]]
