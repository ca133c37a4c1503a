from pathlib import Path

import pytest

from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.plugin.registry import load
from convcheck_reference.clauses import CLAUSES, UnknownClauseError, clause, specification_markdown


def test_ids_are_unique_and_found():
    assert len({c.id for c in CLAUSES}) == len(CLAUSES)
    assert all(clause(c.id) is c for c in CLAUSES)


def test_an_unknown_clause_names_the_nearest():
    with pytest.raises(UnknownClauseError, match="did you mean C2D-PAD-3"):
        clause("c2d-pad-33")


def test_the_page_in_the_repository_is_the_one_that_is_printed():
    page = Path(__file__).parents[2] / "reference" / "SPECIFICATION.md"
    assert page.read_text(encoding="utf-8").strip() == specification_markdown().strip()


def test_every_verdict_is_about_a_clause_that_exists():
    host = InProcessCandidate(lambda: load("numpy"))
    tally = judge_block(host, generate(host.capabilities, run_seed=5, block=0, size=200), 0)
    named = {c for c, _, _ in tally.counts} - {""}
    assert named <= {c.id for c in CLAUSES}
    assert len(named) > 40
