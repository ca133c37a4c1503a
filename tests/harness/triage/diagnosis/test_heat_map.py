import numpy as np
import pytest

from convcheck.triage.diagnosis.heat_map import heat_map


def test_a_map_has_the_shares_of_its_cells():
    wrong = np.zeros((2, 3, 4, 40), np.bool_)
    wrong[0, :, :, -1] = True
    found = heat_map(wrong, np.ones_like(wrong), (2, 3), ("rows", "columns"))
    assert (len(found.shares), len(found.shares[0])) == (4, 16)
    assert found.shares[0][0] == 0
    assert found.shares[0][-1] == pytest.approx(0.5 / 3, abs=1e-3)
    assert (found.rows, found.columns) == ("rows 0–3", "columns 0–39")
