import json
from dataclasses import replace

from convcheck.model.levels import Level
from convcheck.report.as_json import run_as_json
from convcheck.report.finding_facts import COLUMNS
from full_record import ABSENT, RIGHT, WRONG


def test_a_run_is_summed_up_under_keys_that_stay(record):
    found = run_as_json(record)
    assert list(found) == [
        *("name", "command", "convcheck", "started", "seconds", "seed", "examples", "cases", "level"),
        *("conforms", "interrupted", "verdict", "backends", "findings"),
    ]
    assert [b["name"] for b in found["backends"]] == [WRONG, RIGHT, ABSENT]
    assert all(tuple(finding) == COLUMNS for finding in found["findings"])
    assert not found["conforms"]
    wrong, right, absent = found["backends"]
    assert {name: level["verdict"] for name, level in right["levels"].items()} == {
        "computes": "pass",
        "ieee": "not looked at",
        "precision": "pass",
        "refuses": "not looked at",
        "state": "not looked at",
    }
    assert wrong["levels"]["computes"]["findings"] == record.standing(WRONG, Level.COMPUTES).findings
    assert absent["levels"] == {}
    assert absent["unavailable"]


def test_what_counts_follows_the_level(record):
    few = run_as_json(replace(record, level=Level.COMPUTES))
    assert {f["level"] for f in few["findings"] if f["counts"]} == {"computes"}
    assert len(few["findings"]) == len(record.findings)
    json.dumps(few)
