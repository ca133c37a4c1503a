"""The table of guarantees says what holds, by what, and why not."""

import pytest

from convcheck.execution.confinement import Walls, guarantees

LANDLOCK = Walls(landlock=3, seccomp=True, capabilities=False, missing=(("own_root", "Operation not permitted"),))


def held(walls):
    return {g.name for g in guarantees(walls) if g.holds}


def test_without_walls_only_what_torch_itself_tells_is_left():
    assert held(Walls()) == {"convolutions"}
    assert {g.by for g in guarantees(Walls()) if not g.holds} == {"nothing on this machine"}


@pytest.mark.parametrize(
    ("walls", "expected"),
    [
        (
            Walls(own_root=True),
            {"reference withheld", "files", "network", "other processes", "left processes"},
        ),
        (Walls(bubblewrap=True), {"network", "other processes", "left processes"}),
        (Walls(landlock=1), {"reference withheld", "files", "programs"}),
        (Walls(seccomp=True), {"network", "trace"}),
        (
            Walls(landlock=1, seccomp=True),
            {"reference withheld", "files", "programs", "network", "trace", "other processes"},
        ),
        (Walls(nobody=True), {"other processes", "privileges"}),
        (Walls(capabilities=False), {"privileges"}),
        (Walls(memory=2**30), {"memory"}),
    ],
)
def test_each_wall_holds_what_it_can(walls, expected):
    assert held(walls) == {*expected, "convolutions"}


def test_what_is_missing_says_why():
    (left,) = [g for g in guarantees(LANDLOCK) if g.name == "left processes"]
    assert not left.holds
    assert left.by == "own_root: Operation not permitted"


def test_what_holds_says_by_what():
    (reference,) = [g for g in guarantees(LANDLOCK) if g.name == "reference withheld"]
    assert reference.by == "Landlock 3"
