from dataclasses import replace

import pytest
from hypothesis import given, settings

from convcheck.model.calls import Operation
from convcheck.model.history import HistoryError, Step, has_threads, in_words, read_history, read_step, write
from convcheck.model.token import read
from mangled import mangled

TOKEN = "v1,x=1x2x3x4,out=2,k=1"
STEP = Step.of(read(f"{TOKEN},seed=4"))


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (STEP, f"{TOKEN},seed=4"),
        (replace(STEP, weight=0), f"{TOKEN},seed=4@weight=0"),
        (replace(STEP, operation=Operation.BACKWARD), f"{TOKEN},seed=4@backward"),
        (replace(STEP, times=2500), f"{TOKEN},seed=4@times=2500"),
        (Step(read(TOKEN), 1, 2, 3, Operation.BACKWARD), f"{TOKEN}@weight=1,bias=2,grad_output=3,backward"),
        (Step(read(f"{TOKEN},bias=false"), 0, 7, 0), f"{TOKEN},bias=false@bias=7"),
        (Step.at_once([STEP, replace(STEP, weight=0)]), f"{TOKEN},seed=4&{TOKEN},seed=4@weight=0"),
        (Step.at_once([STEP] * 3), f"{TOKEN},seed=4&{TOKEN},seed=4&{TOKEN},seed=4"),
    ],
)
def test_a_step_is_written_as_its_token_and_what_that_does_not_say(step, text):
    assert str(step) == text
    assert read_step(text) == step


def test_a_history_comes_back_from_its_line():
    backward = Step.of(read(f"{TOKEN},dtype=float16"), Operation.BACKWARD)
    history = (STEP, replace(STEP, bias=1), backward, Step.at_once([STEP, backward]), STEP)
    assert read_history(write(history)) == history
    assert read_history(f"  {write(history)}\n") == history


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" ", "no step"),
        (f"{TOKEN} nonsense", "'nonsense'.*starts with its version"),
        ("v1,x=1x2x3x4,out=2,k=9", "illegal"),
        (f"{TOKEN},entry=module", "enters by a module"),
        (f"{TOKEN}@", "'' in the step .* unknown; expected some of weight=SEED"),
        (f"{TOKEN}@x=3", "'x=3' .* unknown"),
        (f"{TOKEN}@weight=-3", "'weight=-3' .* unknown"),
        (f"{TOKEN}@forward", "and backward"),
        (f"{TOKEN}@times=0", "times=NUMBER"),
        (f"{TOKEN}@weight=3,weight=4", "'weight=4' is said twice"),
        (f"{TOKEN}&", "in the step ''"),
        (f"{TOKEN}&{TOKEN}@x=3", "'x=3' .* unknown"),
        ("&".join([TOKEN] * 65), "65 calls at the same time; expected at most 64"),
        (f"{TOKEN}@times=1000000000", "a history of 1,000,000,000 calls; expected at most 1,000,000"),
        (f"{TOKEN}@weight={'9' * 4300}", "a step's weight='9{19}'… .* is too large"),
    ],
)
def test_what_is_no_history_is_refused_with_what_is_expected(text, words):
    with pytest.raises(HistoryError, match=words):
        read_history(text)


def test_another_layer_keeps_the_data_and_other_data_the_layer():
    other = read("v1,x=1x2x3x9,out=2,k=1,seed=77")
    assert replace(STEP, weight=2).of_layer(other).seeds == (4, 2, 4, 4)
    assert replace(STEP, weight=2).of_data(5) == Step.of(read(f"{TOKEN},seed=5"))


def test_in_words_every_step_is_what_sets_it_apart():
    backward = replace(STEP, operation=Operation.BACKWARD)
    history = (
        STEP,
        STEP,
        replace(STEP, weight=1),
        replace(STEP, weight=1, grad_output=9),
        backward,
        replace(backward, grad_output=9),
        replace(STEP, case=read("v1,x=1x2x3x5,out=2,k=1,s=2,dtype=float16,seed=4")),
        STEP,
        Step.of(read("v1,x=1x4x5x5,out=3,k=5,p=2")),
    )
    assert in_words(history) == (
        "Conv2d(2, 2, kernel_size=1) on (1, 2, 3, 4), float32, forward",
        "the same call again",
        "other contents of weight",
        "the same call again",
        "other contents of weight and grad_output, backward",
        "other contents of grad_output",
        "stride=2, input (1, 2, 3, 5), dtype float16, forward",
        "the same call as number 1",
        "Conv2d(4, 3, kernel_size=5, padding=2) on (1, 4, 5, 5), float32, forward",
    )


def test_each_thread_of_a_step_has_a_call_of_its_own():
    other = replace(STEP, weight=1)
    step = Step.at_once([STEP, other, STEP])
    assert step.calls == (STEP, other, STEP)
    assert STEP.calls == (STEP,)
    assert [has_threads(history) for history in ((STEP, other), (STEP, step))] == [False, True]


def test_in_words_the_other_threads_are_what_sets_them_apart_from_the_first():
    other = replace(STEP, weight=1)
    wider = STEP.of_layer(read("v1,x=1x2x3x5,out=2,k=1"))
    history = (Step.at_once([STEP, STEP]), STEP, Step.at_once([other, STEP, replace(wider, weight=1)]), STEP)
    assert in_words(history) == (
        "Conv2d(2, 2, kernel_size=1) on (1, 2, 3, 4), float32, forward, from 2 threads at once, beside it: the same call",
        "the same call again",
        "other contents of weight, from 3 threads at once, beside it: other contents of weight and input (1, 2, 3, 5)",
        "the same call as number 2",
    )
    assert in_words((STEP, history[0]))[1] == "the same call again, from 2 threads at once, beside it: the same call"


@settings(max_examples=150, deadline=None)
@given(mangled(f"{TOKEN},seed=4@weight=2,backward {TOKEN}@times=3&{TOKEN}@bias=7", f"{TOKEN}@grad_output=1"))
def test_any_text_is_a_history_or_refused(text):
    try:
        history = read_history(text)
    except HistoryError:
        return
    assert read_history(write(history)) == history
    assert len(in_words(history)) == len(history)
