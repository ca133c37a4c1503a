import io
from dataclasses import replace

import pytest
from rich.console import Console

from convcheck.report.terminal import in_terminal
from full_record import RECORD, RIGHT


@pytest.fixture(scope="module")
def shown():
    console = Console(file=io.StringIO(), width=100)
    for part in in_terminal(RECORD):
        console.print(part)
    return console.file.getvalue()


def test_every_finding_has_its_number(shown):
    assert all(f"\n{number}. {f.level.label}: " in shown for number, f in enumerate(RECORD.findings, 1))


def test_no_character_of_a_candidate_reaches_the_terminal_as_a_command(shown):
    assert "\x1b" not in shown
    assert "\0" not in shown


def test_the_backend_is_a_column_where_there_are_several(shown):
    assert f"  {RIGHT} " in shown
    alone = replace(RECORD, backends=tuple(b for b in RECORD.backends if b.name == RIGHT))
    console = Console(file=io.StringIO(), width=100)
    console.print(*in_terminal(alone))
    assert "backend" not in console.file.getvalue().split("level", 1)[0]
