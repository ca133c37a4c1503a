"""What a trace of torch's operators says, as it is read."""

import os
from contextlib import suppress

import pytest

from convcheck.execution.confinement.trace import Reader

DASHES = ":" + 1024 * "-"


def node(name):
    return f'{{\n "id": 3, "name": "{name}", "ctrl_deps": 2,\n "attrs": [{{"name": "scope", "value": 0}}]}},\n'


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield Reader(reading), lambda text: os.write(writing, text.encode())
    for end in (reading, writing):
        with suppress(OSError):
            os.close(end)


def test_what_was_called_belongs_to_the_next_number(pipe):
    reader, write = pipe
    write(node("aten::convolution") + node("aten::conv2d") + node(f"convcheck:mark:7{DASHES}"))
    write(node(f"convcheck:called:scipy.signal.convolve{DASHES}") + node(f"convcheck:mark:8{DASHES}"))
    assert reader.before(7) == ("torch.ops.aten.conv2d", "torch.ops.aten.convolution")
    assert reader.before(8) == ("scipy.signal.convolve",)


def test_a_number_that_is_not_there_says_that_the_trace_was_stopped(pipe):
    reader, write = pipe
    write(node("aten::conv2d"))
    assert reader.before(7) is None
    write(node(f"convcheck:mark:8{DASHES}"))
    assert reader.before(8) == ("torch.ops.aten.conv2d",)


def test_a_node_may_arrive_in_pieces(pipe):
    reader, write = pipe
    text = node("aten::conv2d") + node(f"convcheck:mark:1{DASHES}")
    for at in range(0, len(text), 7):
        write(text[at : at + 7])
        reader.read()
    assert reader.before(1) == ("torch.ops.aten.conv2d",)


@pytest.mark.parametrize(
    "name",
    ["aten::matmul", "aten::im2col", "aten::_convert_indices", "my_kernels::convolution", "a range named conv2d"],
)
def test_ones_own_work_is_not_a_convolution_of_others(pipe, name):
    reader, write = pipe
    write(node(name) + node(f"convcheck:mark:1{DASHES}"))
    assert reader.before(1) == ()


def test_of_endless_text_little_is_kept(pipe):
    reader, write = pipe
    for number in range(300):
        write(node(f"aten::conv_{number}") + f'"{"x" * 1000}"')
        reader.read()
    write("\n" + node(f"convcheck:mark:1{DASHES}"))
    assert len(reader.before(1)) == 100
