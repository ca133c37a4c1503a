"""Whatever a record says is shown as text: it becomes no code, no markup, and nothing that a terminal obeys."""

import ast
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from altered_record import altered_lines
from convcheck.model.record_lines import RecordError, from_lines, to_lines
from convcheck.model.reproduction import PackedArray
from convcheck.report.badge import badge
from convcheck.report.discrepancies import discrepancies
from convcheck.report.end_summary import end_summary
from convcheck.report.html import html
from convcheck.report.junit import junit
from convcheck.report.script import literal, script
from convcheck.report.summary import summary
from full_record import COMPLETE, RECORD

HOSTILE = (
    '"""\nimport os\n"""',
    "'; import os; '",
    "{{ 7 * 7 }}{% raise %}",
    "</td></table><script>alert(1)</script>",
    "[safe](javascript:alert(1)) ![x](http://x) <http://x>",
    "```\n# heading\n- list\n> quoted\n\n| a | b |",
    "**bold** __bold__ `code` ~~gone~~ $x$ &lt;b>",
    "\x1b[31m\x07\x9b2J\x1b]0;title\x07\r\u202e\u2066\ufffe\uffff\0\ud800",
)
OBEYED = "\x1b\x07\x9b\r\u202e\u2066\ufffe\uffff\0\ud800"


def named(text):
    """The record with a text wherever there is room for one."""
    wrong, *others = RECORD.backends
    backend = replace(wrong, name=text, versions={text: text}, unavailable="", behaviour={"float32 output": text})
    verdict = replace(COMPLETE.verdict, reason=text, quantity=text)
    finding = replace(COMPLETE, backend=text, verdict=verdict, known=text, also_affects=(text,))
    counts = tuple(replace(c, backend=text, reason=text) if c.backend == wrong.name else c for c in RECORD.counts)
    return replace(
        RECORD, name=text, command=text, version=text, environment={text: text}, backends=(backend, *others),
        counts=counts, findings=(finding,),
    )  # fmt: skip


def pages(record):
    texts = [summary(record, "text"), end_summary(record), badge(record)]
    return [*texts, summary(record, "markdown"), discrepancies(record), html(record), junit(record)]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_page_has_what_a_terminal_obeys(text):
    assert not [page for page in pages(named(text)) if set(page) & set(OBEYED)]


@pytest.mark.parametrize("text", HOSTILE)
def test_junit_is_well_formed(text):
    assert ET.fromstring(junit(named(text))).tag == "testsuites"


@pytest.mark.parametrize("text", HOSTILE)
def test_html_has_no_element_of_the_records(text):
    tags = re.findall(r"<([a-z0-9]+)", html(named("harmless")))
    assert re.findall(r"<([a-z0-9]+)", html(named(text))) == tags


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_markup_of_the_records(text):
    for page in (summary(named(text), "markdown"), discrepancies(named(text))):
        outside = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", page, flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"<[A-Za-z/!]|(?<!\\)\]\(|(?<!\\)\*\*|(?<!\\)`|(?<!\\)~~", outside)
        titles = re.findall(r"^#.*", outside, flags=re.MULTILINE)
        assert all(title.startswith(("# ", "## ")) for title in titles)
        assert not re.search(r"^(- list|# heading|> quoted)", outside, flags=re.MULTILINE)


def shape_of(text):
    """The syntax of a program, whatever its constants."""
    return re.sub(r"Constant\(value=.*?\)(?=[,)\]])", "Constant()", ast.dump(_without_constants(ast.parse(text))))


class _Same(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(0)


def _without_constants(tree):
    return _Same().visit(tree)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_script_has_no_code_of_the_records(text):
    harmless = script(named("harmless"), named("harmless").findings[0])
    assert shape_of(script(named(text), named(text).findings[0])) == shape_of(harmless)
    alone = replace(named(text).findings[0], reproduction=replace(COMPLETE.reproduction, call=None))
    assert shape_of(script(RECORD, alone)) == shape_of(
        script(RECORD, replace(alone, backend="harmless", verdict=COMPLETE.verdict))
    )


def test_an_array_is_code_of_its_own_dtype_only():
    packed = PackedArray("complex64", (1,), 'eJxjYGBgAAAABAAB"); import os; ("')
    with pytest.raises(ValueError, match="buffer size"):
        literal(packed)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(altered_lines())
def test_whatever_is_a_record_can_be_shown(lines):
    try:
        record = from_lines(lines)
    except RecordError:
        return
    assert ET.fromstring(junit(record)).tag == "testsuites"
    assert all(pages(record))
    assert json.loads(badge(record))
    for finding in record.findings:
        compile(script(record, finding), "reproduce.py", "exec", dont_inherit=True)
    assert from_lines(to_lines(record)).name == record.name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(altered_lines(st.one_of(st.text(), st.sampled_from(HOSTILE))))
def test_any_text_in_a_record_is_shown_as_text(lines):
    try:
        record = from_lines(lines)
    except RecordError:
        return
    assert ET.fromstring(junit(record)).tag == "testsuites"
    assert not [page for page in pages(record) if set(page) & set(OBEYED)]
    for finding in record.findings:
        compile(script(record, finding), "reproduce.py", "exec", dont_inherit=True)
