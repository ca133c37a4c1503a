import json
from dataclasses import replace

import pytest

from convcheck.model.levels import Level
from convcheck.report.badge import badge
from full_record import FINDINGS, RECORD


@pytest.mark.parametrize(
    ("changes", "label", "message", "color"),
    [
        ({}, "convcheck", "8 findings", "red"),
        ({"findings": FINDINGS[7:8]}, "convcheck", "conforms", "brightgreen"),
        ({"findings": FINDINGS[4:5]}, "convcheck", "1 finding", "red"),
        ({"findings": FINDINGS[4:5], "level": Level.PRECISION}, "convcheck up to precision", "conforms", "brightgreen"),
        ({"level": Level.IEEE}, "convcheck up to IEEE", "5 findings", "red"),
        ({"findings": (), "counts": ()}, "convcheck", "nothing judged", "lightgrey"),
        ({"clause": "C2D-PAD-1", "findings": ()}, "convcheck C2D-PAD-1", "conforms", "brightgreen"),
        ({"interrupted": True}, "convcheck", "unfinished", "lightgrey"),
    ],
)
def test_a_badge_says_how_the_run_ended_up_to_its_level(changes, label, message, color):
    assert json.loads(badge(replace(RECORD, **changes))) == {
        "schemaVersion": 1,
        "label": label,
        "message": message,
        "color": color,
    }
