import io
from dataclasses import replace

import pytest
from rich.console import Console

from convcheck.cli.narration import MOST_AS_THEY_COME, Lines, Telling, narrating
from convcheck.model.reproduction import Reproduction
from convcheck.model.stages import Stage
from full_record import COMPLETE, TOKEN

AS_IT_CAME = replace(COMPLETE, reproduction=Reproduction(token=TOKEN), diagnosis=type(COMPLETE.diagnosis)())


@pytest.fixture
def log():
    said, now = [], [0.0]
    return Lines(said.append, lambda: now[0]), said, now


def test_a_log_says_every_few_seconds_how_far_the_run_is(log):
    lines, said, now = log
    now[0] = 5.2
    lines.beat()
    lines.advance("numpy", 40, "40 cases, 0 failures")
    assert said == ["[0:05] loading the backends"]
    now[0] = 65.0
    lines.beat()
    assert said[1:] == ["[1:05] numpy: 40 cases, 0 failures"]


def test_a_failure_is_told_as_it_came_and_its_cause_once_it_is_known():
    said = []
    tell = Telling(said.append)
    tell(Stage.SEEN, AS_IT_CAME)
    tell(Stage.CAUSE, COMPLETE)
    assert said[0].startswith(f"seen: {AS_IT_CAME.backend}: `output` is wrong")
    assert TOKEN in said[0]
    assert said[1].startswith(f"cause: {COMPLETE.backend}: `output` is wrong iff groups > 1 and bias")


def test_who_is_wrong_everywhere_fills_no_log():
    said = []
    tell = Telling(said.append)
    for _ in range(50):
        tell(Stage.SEEN, AS_IT_CAME)
    assert len(said) == MOST_AS_THEY_COME + 1
    assert said[-1].endswith("fails in further ways; the report has them")
    tell(Stage.SMALLEST, AS_IT_CAME)
    assert said[-1].startswith("smallest case: ")


def test_a_terminal_has_a_bar_and_findings_above_it(monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=200)
    monkeypatch.setattr("convcheck.cli.narration.Console", lambda **_: terminal)
    with narrating(["numpy"], 100) as narration:
        narration.advance("numpy", 40, "40 cases")
        narration.say("seen: [red]\x1b[31m")
    assert "seen: [red]�[31m" in screen.getvalue()
    assert "40 cases" in screen.getvalue()


def test_what_is_no_terminal_has_no_bar(capsys):
    with narrating(["numpy"], 100) as narration:
        narration.advance("numpy", 40, "40 cases")
        narration.say("a line")
    assert capsys.readouterr().err == "[0:00] a line\n"
