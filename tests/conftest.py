"""How tests are dealt out to the processes of pytest-xdist, and what these and those that tests start share."""

import gc
import os

import pytest

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or hundreds of processes would each compile all modules anew


def pytest_collection_finish():
    """Leave what was imported and collected, a million objects, out of later collections of garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True, optionalhook=True)  # before that of our plugin, which knows nothing of these tests
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file go to one process, and those of the suite on one backend: what they share is made once."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.rpartition("|")[0] if "test_clause[" in nodeid else nodeid.partition("::")[0]

    return Scheduling(config, log) if config.getoption("dist") == "load" else None
