import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

from convcheck import Status, Verdict
from convcheck.campaign.campaign import Options, run
from convcheck.campaign.database import (
    MOST_REMEMBERED,
    DatabaseError,
    forget,
    open_database,
    remember,
    remembered,
)
from convcheck.model.ladder import Ladder
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction

WRONG = "convcheck.defects:group-outputs-interleaved"
A, B = "v1,x=1x2x4x4,out=2,k=1", "v1,x=1x2x4x4,out=2,k=3,dtype=float64"
SHARED = InMemoryExampleDatabase()


def finding(**reproduction):
    verdict = Verdict("exact", "output", Status.FAIL, ("C2D-ARITH-1",))
    return Finding(
        backend="b",
        clause="C2D-ARITH-1",
        level=Level.COMPUTES,
        verdict=verdict,
        reproduction=Reproduction(**reproduction),
    )


def judged(spec, database, **options):
    least = {"examples": 25, "diagnosis_calls": 60, "reach": Ladder.QUICK}
    chosen = Options(**{"specs": (spec,), "in_process": True, **least, **options})
    return run(chosen, name="run", command="test", database=database)


def counts(record):
    return {count.origin: count for count in record.backends[0].origins}


def test_the_smallest_and_the_first_failing_case_are_kept_for_their_backend():
    database = InMemoryExampleDatabase()
    remember(database, "b", [finding(token=A, first_failing_case=B)])
    assert remembered(database, "b") == (A, B)
    assert remembered(database, "b", ("float64",)) == (B,)
    assert remembered(database, "another") == ()
    forget(database, "b", [A])
    assert remembered(database, "b") == (B,)


def test_what_no_case_shows_by_itself_is_not_kept_as_one():
    database = InMemoryExampleDatabase()
    remember(database, "b", [finding(token=A, setup_cases=(B,))])
    assert remembered(database, "b") == ()


def test_a_history_is_kept_as_its_line():
    database, line = InMemoryExampleDatabase(), f"{A} {A}@weight=1"
    remember(database, "b", [finding(token=A, history=line)])
    assert remembered(database, "b") == (line,)
    assert remembered(database, "b", ("float64",)) == ()
    forget(database, "b", [line])
    assert remembered(database, "b") == ()


def test_a_history_of_one_step_of_threads_is_kept_as_its_line():
    database, line = InMemoryExampleDatabase(), f"{A}&{B}"
    remember(database, "b", [finding(token=A, history=line)])
    assert remembered(database, "b") == (line,)
    assert remembered(database, "b", ("float32",)) == ()
    assert remembered(database, "b", ("float32", "float64")) == (line,)


def test_a_history_that_failed_is_played_first_and_forgotten_when_it_passes():
    database, spec = InMemoryExampleDatabase(), "convcheck.defects:weight-kept-by-shape"
    line = f"{A} {A}@weight=1"
    for backend in (spec, "numpy"):
        database.save(f"convcheck {backend}".encode(), line.encode())
    found = judged(spec, database, examples=1)
    assert counts(found)[Origin.REMEMBERED].failing_cases == 1
    assert line in remembered(database, spec)
    assert counts(judged("numpy", database, examples=1))[Origin.REMEMBERED].failing_cases == 0
    assert remembered(database, "numpy") == ()


def test_without_a_database_there_is_no_memory():
    remember(None, "b", [finding(token=A)])
    forget(None, "b", [A])
    assert remembered(None, "b") == ()


def test_what_a_later_convcheck_wrote_is_left_alone():
    database = InMemoryExampleDatabase()
    database.save(b"convcheck b", b"v9,something new")
    assert remembered(database, "b") == ()
    assert set(database.fetch(b"convcheck b")) == {b"v9,something new"}


def test_a_run_of_few_cases_does_not_become_one_of_many():
    database = InMemoryExampleDatabase()
    remember(database, "b", [finding(token=f"{A},seed={seed}") for seed in range(1, 3 * MOST_REMEMBERED)])
    assert len(remembered(database, "b")) == MOST_REMEMBERED


def test_what_failed_is_tried_first_and_forgotten_when_it_passes():
    database = InMemoryExampleDatabase()
    first = judged(WRONG, database)
    kept = remembered(database, WRONG)
    assert Origin.REMEMBERED not in counts(first)
    assert {f.reproduction.token for f in first.findings} <= set(kept)
    again = counts(judged(WRONG, database))
    assert again[Origin.REMEMBERED].cases == again[Origin.REMEMBERED].failing_cases == len(kept)
    assert again[Origin.DRAWN] == counts(first)[Origin.DRAWN]
    # the same name, mended
    for token in kept:
        database.save(b"convcheck numpy", token.encode())
    assert counts(judged("numpy", database))[Origin.REMEMBERED].failing_cases == 0
    assert remembered(database, "numpy") == ()


def test_a_case_of_an_oracle_that_is_due_seldom_is_not_forgotten():
    database = InMemoryExampleDatabase()
    spec = "convcheck.defects:weight-kept-by-shape"
    record = judged(spec, database, examples=120, diagnosis_calls=2000)
    alone = [
        f.reproduction.token for f in record.findings if not (f.reproduction.setup_cases or f.reproduction.history)
    ]
    assert alone
    judged(spec, database, examples=5)
    assert set(alone) <= set(remembered(database, spec))


def test_a_run_of_one_clause_forgets_nothing():
    database = InMemoryExampleDatabase()
    database.save(b"convcheck numpy", A.encode())
    judged("numpy", database, examples=5, clause="C2D-PURE-1")
    assert remembered(database, "numpy") == (A,)


def test_a_database_that_fails_loses_no_record():
    class Away(ExampleDatabase):
        def fetch(self, key):
            return ()

        def save(self, key, value):
            raise ConnectionError("no route")

        def delete(self, key, value):
            raise ConnectionError("no route")

    with pytest.warns(RuntimeWarning, match="no route"):
        record = judged(WRONG, Away())
    assert record.findings


def test_a_database_is_that_of_the_profile_a_folder_an_attribute_or_none(tmp_path):
    assert open_database("none") is None
    assert open_database(f"{__name__}:SHARED") is SHARED
    folder = open_database(str(tmp_path / "examples"))
    remember(folder, "b", [finding(token=A)])
    assert remembered(DirectoryBasedExampleDatabase(str(tmp_path / "examples")), "b") == (A,)
    assert open_database("") == settings().database


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no_such_module:database", "No module named"),
        (f"{__name__}:nothing", "nothing"),
        (f"{__name__}:WRONG", "expected an ExampleDatabase"),
        (__file__, "is no folder"),
    ],
)
def test_what_is_no_database_is_told_apart(text, said):
    with pytest.raises(DatabaseError, match=said):
        open_database(text)
