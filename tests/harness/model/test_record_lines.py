import base64
import json
import math
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings

from altered_record import altered_lines
from convcheck.model.record_lines import RecordError, from_lines, to_lines
from full_record import OWN_PROFILE, RECORD, WRONG

HEADER, BACKEND, COUNT, LEVEL, COVERAGE, FINDING = 0, 1, 4, 22, 29, 44


@pytest.fixture
def lines():
    return list(to_lines(RECORD))


def changed(line, path, value):
    """A line with the field at `path` set, or taken away where the value is `...`."""
    entry = json.loads(line)
    *parents, name = path.split(".")
    inner = entry
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[name]
    else:
        inner[name] = value
    return json.dumps(entry)


def test_lines_give_the_record_back(lines):
    assert from_lines(lines) == RECORD


def test_every_line_says_what_it_holds(lines):
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == [
        "campaign", *["backend"] * 3, *["count"] * 18, *["level"] * 7, *["coverage"] * 15, *["finding"] * 9, *["reach"] * 3,
    ]  # fmt: skip
    assert [kinds[at] for at in (HEADER, BACKEND, COUNT, LEVEL, COVERAGE, FINDING, -1)] == list(dict.fromkeys(kinds))


def test_no_text_breaks_a_line(lines):
    assert not any(set("\n\r\0\x1b") & set(line) for line in lines)


def test_a_profile_that_no_backend_of_ours_has_survives():
    (wrong,) = [b for b in from_lines(to_lines(RECORD)).backends if b.name == WRONG]
    assert wrong.profiles == {"float32 output": OWN_PROFILE}
    assert wrong.margins["float32 output"] == math.inf


@pytest.mark.parametrize("number", [math.nan, math.inf, -0.0, 5e-324, 1e308])
def test_every_number_survives(number):
    backend = replace(RECORD.backends[0], margins={"float32 output": number})
    (read,) = from_lines(to_lines(replace(RECORD, backends=(backend,)))).backends
    assert repr(read.margins) == repr(backend.margins)


def test_the_order_of_lines_within_a_kind_is_kept(lines):
    turned = from_lines(reversed(lines))
    assert turned.findings == RECORD.findings[::-1]
    assert turned.seed == RECORD.seed


def test_blank_lines_say_nothing(lines):
    assert from_lines(["", *lines, "  ", ""]) == RECORD


@pytest.mark.parametrize(
    ("at", "path", "value", "where"),
    [
        (HEADER, "seed", ..., "field seed: .*missing|field seed: .*required"),
        (HEADER, "seed", "3", "field seed: .*integer"),
        (HEADER, "seeds", 3, "field seeds: Unexpected"),
        (HEADER, "findings", [], "field findings: expected on lines of its own"),
        (HEADER, "interrupted", 0, "field interrupted: .*boolean"),
        (BACKEND, "spec", ..., "field spec: .*required"),
        (BACKEND, "margins", {"float32 output": "inf"}, "field margins.float32 output: .*number"),
        (BACKEND, "profiles.float32 output.algorithm", "guess", "field profiles.float32 output.algorithm: .*'direct'"),
        (COUNT, "status", "passed", "field status: .*'pass'"),
        (COUNT, "cases", 1.5, "field cases: .*integer"),
        (LEVEL, "level", "perfect", "field level: .*'computes'"),
        (LEVEL, "passed", 1.5, "field passed: .*integer"),
        (COVERAGE, "value", None, "field value: .*string"),
        (COUNT, "clause", "C2D-PADD-1", "field clause: .*did you mean C2D-PAD-1"),
        (LEVEL, "error_clause", "nonsense", "field error_clause: no clause is called 'nonsense'"),
        (BACKEND, "seconds", {"candidate": math.inf}, "field seconds: inf is no time"),
        (FINDING, "backend", "another", "field backend: 'another' has no line of its own"),
        (FINDING, "clause", '"""\nimport os\n"""', "field clause: no clause is called"),
        (FINDING, "verdict.clauses", ["C2D-NONE-1"], "field verdict.clauses: no clause"),
        (FINDING, "reproduction.token", "v1,x=1x1x99999x99999,out=1,k=1", "field reproduction.token: .*too large"),
        (FINDING, "reproduction.setup_cases", ["nonsense"], "field reproduction.setup_cases: a case starts with"),
        (FINDING, "reproduction.history", "nonsense", "field reproduction.history: in the step 'nonsense'"),
        (FINDING, "reproduction.call.expected.data", "nonsense", "field reproduction.call.expected: data cannot be"),
        (FINDING, "reproduction.call.expected.shape", [1], "field reproduction.call.expected: data is not .* shape"),
        (FINDING, "reproduction.call.expected.shape", [2**40], "field reproduction.call.expected: shape .* at most"),
        (FINDING, "reproduction.call.expected.dtype", "O", "field reproduction.call.expected: dtype 'O'"),
        (FINDING, "reproduction.call.expected.dtype", "float64, os.abort()", "field .*expected: dtype .*none of NumPy"),
        (
            FINDING,
            "diagnosis.localization.maps",
            [{"rows": "", "columns": "", "shares": [[2.0]]}],
            "field .*maps: shares",
        ),
        (FINDING, "diagnosis.localization.maps", [{"rows": "", "columns": "", "shares": []}], "field .*maps: shares"),
        (FINDING, "verdict", [], "field verdict: "),
        (FINDING, "verdict.reasons", "", "field verdict.reasons: Unexpected"),
        (FINDING, "verdict.evidence.index", "0", "field verdict.evidence.index: "),
        (
            FINDING,
            "reproduction.call.tensors.x.layout",
            "diagonal",
            "field reproduction.call.tensors.x.layout: .*'contiguous'",
        ),
        (
            FINDING,
            "diagnosis.failure_condition.rule.text",
            "group > 1",
            "field diagnosis.failure_condition.rule: .*'group'; did you mean groups",
        ),
    ],
)
def test_an_error_names_line_and_field(lines, at, path, value, where):
    lines[at] = changed(lines[at], path, value)
    with pytest.raises(RecordError, match=f"^line {at + 1}: {where}"):
        from_lines(lines)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not JSON", "line 1 is no JSON: .*; expected a line of a campaign's record"),
        ("9" * 5000, "line 1 is no JSON"),
        ('{"a":' * 5000, "line 1 is no JSON"),
        ('{"kind": "count", "kind": "level"}', "line 1 is no JSON: 'kind' stands twice"),
        ("[]", "line 1 holds a list; expected an object with a kind"),
        ("{}", "line 1: kind None; expected one of campaign, backend, count, level, pass, coverage, finding, reach"),
        ('{"kind": "verdict"}', "line 1: kind verdict; expected one of campaign, backend"),
        ('{"kind": ["count"]}', "line 1: kind .*; expected one of campaign, backend"),
        ('{"kind": "campaign", "schema": 1}', "line 1: schema 1; this convcheck reads schema 3"),
        ('{"kind": "campaign"}', "line 1: schema None; this convcheck reads schema 3"),
        ("", "the campaign's header line is missing"),
    ],
)
def test_other_files_are_refused_with_what_was_expected(line, message):
    with pytest.raises(RecordError, match=f"^{message}"):
        from_lines([line])


def test_a_second_header_is_refused(lines):
    with pytest.raises(RecordError, match="line 2: a second campaign"):
        from_lines([lines[0], *lines])


def test_the_header_is_missed(lines):
    with pytest.raises(RecordError, match="header line is missing"):
        from_lines(lines[1:])


def test_an_error_in_a_header_further_down_names_its_line(lines):
    header = changed(lines[0], "seed", "3")
    with pytest.raises(RecordError, match="line 56: field seed"):
        from_lines([*lines[1:], header])


def test_a_history_stays_in_the_record():
    first, *others = RECORD.findings
    line = f"{first.reproduction.token} {first.reproduction.token}@weight=1"
    with_history = replace(first, reproduction=replace(first.reproduction, history=line))
    record = replace(RECORD, findings=(with_history, *others))
    assert from_lines(list(to_lines(record))).findings[0].reproduction.history == line


def test_an_array_is_unpacked_no_further_than_it_says(lines):
    bomb = base64.b64encode(zlib.compress(bytes(10**7))).decode()
    lines[FINDING] = changed(lines[FINDING], "reproduction.call.expected.data", bomb)
    with pytest.raises(RecordError, match="data is not"):
        from_lines(lines)


@settings(max_examples=60, deadline=None)
@given(altered_lines())
def test_any_value_is_of_a_record_or_refused_with_its_place(lines):
    try:
        record = from_lines(lines)
    except RecordError as error:
        assert str(error).startswith("line ")  # noqa: PT017
        return
    assert list(to_lines(from_lines(to_lines(record)))) == list(to_lines(record))
