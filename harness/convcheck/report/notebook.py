"""A record as a notebook shows it: the page of the report, within a frame that keeps its style to itself."""

from __future__ import annotations

from convcheck.model.record import Record
from convcheck.report.html import html
from convcheck.report.templating import environment


def in_notebook(record: Record) -> str:
    """The frame; it fetches nothing and runs nothing."""
    return environment().get_template("frame.html.j2").render(name=record.name, page=html(record))
