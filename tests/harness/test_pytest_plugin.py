from types import SimpleNamespace

import pytest

from convcheck.pytest_plugin import _processes


def config(workers, **options):
    given = {"conv_backend": ["numpy"], "conv_dtype": ["float32"], **options}
    found = SimpleNamespace(getoption=given.__getitem__)
    if workers:
        found.workerinput = {"workercount": workers}
    return found


@pytest.mark.parametrize(
    ("workers", "dtypes", "processes"),
    [(0, ["float32"], 1), (2, ["float32"], 2), (16, ["float32", "float64", "float16"], 5), (2, [], 1)],
    ids=["no xdist", "one dtype", "a share each", "more dtypes than workers"],
)
def test_workers_that_would_have_nothing_to_do_are_judging_processes(workers, dtypes, processes):
    assert _processes(config(workers, conv_dtype=dtypes)) == processes


def test_a_backend_that_is_named_twice_is_judged_once():
    assert _processes(config(4, conv_backend=["numpy", "numpy"])) == 4
