"""The judge asks who watches a candidate, and believes nobody else."""

import socket
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from convcheck.execution.channel import Channel
from convcheck.execution.confinement import ConfinementError, Walls
from convcheck.execution.confinement.sightings import Left, Remaining, Seen, Sighted, Standing, Standings
from convcheck.execution.confinement.watcher import STOPPED, Watcher
from convcheck.execution.messages import Answer
from convcheck.model.calls import Raised, Returned

ANSWER = Answer(7, Returned({"output": np.ones(1)}, called=()), (1, 2))
ASKED = {"Seen": Seen, "Standing": Standing, "Remaining": Remaining}


@pytest.fixture
def asked():
    """A watcher, and what answers the question that it is asked."""
    ours, theirs = socket.socketpair()
    with closing(Watcher(ours)) as watcher, closing(Channel(theirs, ASKED)) as other:

        def ask(answer, question):
            questions = []

            def answering():
                questions.append(other.receive(20.0))
                other.send(answer)

            thread = threading.Thread(target=answering)
            thread.start()
            found = question(watcher)
            thread.join()
            return found, questions[0]

        yield ask


def test_what_was_seen_is_added_to_the_outcome(asked):
    found, question = asked(Sighted(("torch.ops.aten.conv2d",)), lambda watcher: watcher.completed(ANSWER))
    assert question == Seen(7)
    assert found.outcome.called == ("torch.ops.aten.conv2d",)


def test_where_nothing_was_seen_nothing_was_called(asked):
    assert asked(Sighted(), lambda watcher: watcher.completed(ANSWER))[0].outcome.called == ()


def test_a_trace_that_was_stopped_is_a_finding(asked):
    assert asked(Sighted(watched=False), lambda watcher: watcher.completed(ANSWER))[0].outcome.called == (STOPPED,)


def test_an_error_stays_as_it_is(asked):
    error = Raised("ValueError", "no")
    assert (
        asked(Sighted(("torch.ops.aten.conv2d",)), lambda watcher: watcher.completed(Answer(7, error)))[0].outcome
        is error
    )


def test_who_does_not_say_what_he_has_started_is_looked_at(asked):
    silent = replace(ANSWER, children=())
    assert asked(Sighted(children=(1, 2, 3)), lambda watcher: watcher.completed(silent))[0].children == (1, 2, 3)
    assert asked(Sighted(children=(1, 2, 3)), lambda watcher: watcher.completed(ANSWER))[0].children == (1, 2)


def test_what_is_left_beside_it_is_known_when_it_ends(asked):
    left = ((3, "sleep 1000"),)
    assert asked(Left(left), lambda watcher: watcher.left()) == (left, Remaining())


def test_who_has_ended_is_not_asked_what_was_seen(asked):
    with pytest.raises(ConfinementError, match="has ended"):
        asked(Left(), lambda watcher: watcher.completed(ANSWER))


def test_the_walls_that_stand_are_what_is_guaranteed(asked):
    walls = Walls(landlock=7, missing=(("own_root", "Operation not permitted"),))
    found, question = asked(Standings(walls), lambda watcher: watcher.guarantees())
    assert question == Standing()
    assert {g.name for g in found if g.holds} == {"reference withheld", "files", "programs", "convolutions"}


def test_a_watcher_that_is_gone_is_said_to_be():
    ours, theirs = socket.socketpair()
    theirs.close()
    with closing(Watcher(ours)) as watcher, pytest.raises(ConfinementError, match="is gone"):
        watcher.completed(ANSWER)
