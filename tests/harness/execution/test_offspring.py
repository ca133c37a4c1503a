"""Processes that a call has left behind are told apart from a pool that ends with the program."""

from convcheck.execution.offspring import Offspring


def test_who_left_what_is_known():
    offspring = Offspring()
    offspring.saw(0, [])
    assert not offspring.suspicious
    offspring.saw(1, [7, 8])
    offspring.saw(2, [7, 8, 9])
    assert offspring.suspicious
    left = [(7, "sleep 1"), (8, "sleep 1"), (9, "sleep 2"), (10, "a grandchild")]
    assert offspring.left_by(left) == {1: "2 processes (sleep 1, sleep 1)", 2: "2 processes (sleep 2, a grandchild)"}


def test_a_pool_that_has_ended_once_is_trusted_and_one_more_is_not():
    offspring = Offspring()
    offspring.saw(0, [1, 2])
    assert offspring.left_by([]) == {}
    offspring.forget()
    offspring.saw(0, [3, 4])
    assert not offspring.suspicious
    offspring.saw(1, [3, 4, 5])
    assert offspring.suspicious


def test_after_some_workers_that_left_processes_nobody_waits_for_those_of_another():
    offspring = Offspring()
    for _ in range(3):
        assert offspring.doubtful
        offspring.saw(0, [1])
        offspring.left_by([(1, "sleep")])
        offspring.forget()
    assert not offspring.doubtful


def test_many_commands_are_not_all_shown():
    offspring = Offspring()
    offspring.saw(0, range(5))
    assert offspring.left_by([(pid, "s") for pid in range(5)]) == {0: "5 processes (s, s, s, …)"}
