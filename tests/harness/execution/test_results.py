import numpy as np
import pytest

from convcheck.execution.results import Results
from convcheck_backends import NumpyBackend


class Handles(NumpyBackend):
    """Its results are handles, which can be closed."""

    def to_numpy(self, native):
        if native[0] is None:
            raise RuntimeError("closed")
        return native[0]


def test_the_judge_gets_a_copy():
    mine = np.ones(3)
    found = Results().collect(NumpyBackend(), {"output": mine}, {})
    mine[:] = 0
    assert found.arrays["output"].tolist() == [1, 1, 1]


def test_a_change_is_seen_when_the_next_result_takes_its_place_and_no_earlier():
    results, first = Results(), np.ones(3)
    assert results.collect(NumpyBackend(), {"output": first}, {}).overwritten == ()
    first[0] = 5
    # other quantities leave it where it is
    assert results.collect(NumpyBackend(), {"grad_input": np.ones(2)}, {}).overwritten == ()
    assert results.collect(NumpyBackend(), {"output": np.ones(3)}, {}).overwritten == ("output",)
    assert results.collect(NumpyBackend(), {"output": np.ones(3)}, {}).overwritten == ()


@pytest.mark.parametrize("bad", [np.array([None]), "no array"])
def test_a_malformed_result_is_named_and_the_one_before_stays_in_sight(bad):
    results, first = Results(), np.ones(3)
    results.collect(NumpyBackend(), {"output": first}, {})
    first[0] = 5
    found = results.collect(NumpyBackend(), {"output": bad, "grad_bias": None}, {})
    assert set(found.malformed) == {"output"}
    assert found.arrays == {"output": None, "grad_bias": None}
    assert results.collect(NumpyBackend(), {"output": np.ones(3)}, {}).overwritten == ("output",)


def test_a_result_that_cannot_be_read_again_has_changed():
    results, first = Results(), [np.ones(3)]
    results.collect(Handles(), {"output": first}, {})
    first[0] = None
    assert results.collect(Handles(), {"output": [np.ones(3)]}, {}).overwritten == ("output",)


def test_who_shares_memory_with_whom_is_said():
    memory = np.zeros(40)
    results = Results()
    results.collect(NumpyBackend(), {"output": memory[:10]}, {})
    native = {"grad_input": memory[5:15], "grad_weight": memory[14:20], "grad_bias": memory[30:]}
    found = results.collect(NumpyBackend(), native, {"x": memory[19:25]})
    assert found.aliased == (
        "grad_input with the earlier output",
        "grad_weight with x",
        "grad_weight with grad_input",
    )


def test_neighbours_and_the_two_halves_of_a_comb_share_nothing():
    memory = np.zeros(40)
    found = Results().collect(
        NumpyBackend(), {"output": memory[:10], "other": memory[10:20:2], "third": memory[11:20:2]}, {"x": memory[20:]}
    )
    assert found.aliased == ()
