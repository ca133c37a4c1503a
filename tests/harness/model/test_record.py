import pytest

from convcheck.campaign.campaign import Options, run
from convcheck.model.record import merged
from convcheck.model.record_lines import RecordError, from_lines, to_lines


@pytest.fixture(scope="module")
def record():
    options = Options(specs=("numpy",), examples=30, in_process=True)
    return run(options, name="run", command="test", progress=lambda *_: None, checkpoint=lambda _: None)


def test_lines_give_the_record_back(record):
    assert from_lines(to_lines(record)) == record


def test_parts_add_up(record):
    both = merged([record, record], name="both", command="test")
    assert both.cases == 2 * record.cases
    assert both.judged("numpy") == 2 * record.judged("numpy")
    assert len(both.backends) == 1


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"kind": "campaign", "schema": 99}', '{"kind": "count"}'])
def test_other_files_are_refused(line):
    with pytest.raises(RecordError):
        from_lines([line])
