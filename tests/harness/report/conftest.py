import pytest

from full_record import RECORD


@pytest.fixture(scope="session")
def record():
    return RECORD
