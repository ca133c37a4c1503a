"""How tests are dealt out to the processes of pytest-xdist, and what these and those that tests start share."""

import os

import pytest

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or hundreds of processes would each compile all modules anew


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Neighbours go to one process, so that what they share is made once, and who has none left takes some over."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
