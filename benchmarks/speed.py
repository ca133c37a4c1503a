"""What judging costs beside what it cannot do without, and beside other tools: milliseconds of CPU, in one run.

    OMP_NUM_THREADS=1 python benchmarks/speed.py

The floor is torch's forward and backward pass in float32 and in float64, once each, on the same layers. convcheck
judges each case on two sets of data, integers and reals; a layer of very many multiply-adds on integers alone. Whatever
is compared is measured in turns, several times, of which the least counts: other work on the machine only adds to it.
CPU of other processes is read from /proc, so this runs on Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tabulate import tabulate

from convcheck import load
from convcheck.evaluation.baselines import torch_samples
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.execution.backend_calls import results_of
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_case
from convcheck.model.case import Case
from convcheck.model.token import read
from convcheck.model.work import is_large, regimes
from convcheck.oracles import Trial, applicable, due, extra_calls
from convcheck.oracles.support.expected import Expected
from convcheck.tensors.values import real_values
from convcheck_reference.params import Conv2dParams

BACKEND = "torch-cpu"
QUANTITIES = ("output", "grad_input", "grad_weight", "grad_bias")
RESNET = ((64, 64, 56), (128, 128, 28), (256, 256, 14))
"""Channels in and out, and pixels, of 3 × 3 layers."""
NEAR = partial(torch.allclose, rtol=1e-3, atol=1e-3)
FAR = 8
"""Of far layers other oracles are asked so many times less often."""
SLOW = 10
"""Other tools are measured on one layer of so many."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu():
    """Seconds of CPU of this process, of those below it, and of what these have seen ended."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(stat.parent.name)], ticks[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    below = [os.getpid()]
    for above in below:
        below += [pid for pid, parent in parents.items() if parent == above]
    return time.process_time() + _TICK * sum(ticks.get(pid, 0) for pid in below[1:])


@dataclass
class Layers:
    """Some layers of a size, and how often they are gone through in one measurement."""

    name: str
    cases: list[Case]
    times: int = 1

    @property
    def data_sets(self):
        """Sets of data on which one of them is judged, on average."""
        return sum(len(regimes(case)) for case in self.cases) / len(self.cases)


def drawn(capabilities, count, most):
    """Legal float32 calls of at most so many multiply-adds, and more than a thirtieth of that, as a run draws them."""
    found, block = [], 0
    while len(found) < count:
        for case in generate(replace(capabilities, dtypes=("float32",)), run_seed=0, block=block, size=250):
            if case.is_legal_call and case.regime != "special":
                work = case.params.multiply_adds(case.input_shape)
                found += [case] * (most // 30 < work <= most)
        block += 1
    return found[:count]


def resnet(batch):
    """Three layers of ResNet-50."""
    layers = [(Conv2dParams(i, o, 3, padding=1, bias=False), (batch, i, n, n)) for i, o, n in RESNET]
    return [Case.of(params, shape) for params, shape in layers]


def posed(case, dtype):
    """Real data of a case as torch's tensors."""
    values = real_values(case)
    arrays = (values.grad_output, values.x, values.weight, values.bias)
    return [None if a is None else torch.from_numpy(a.astype(dtype)) for a in arrays]


def floor(backend, case):
    """Something that computes output and gradients once in each of two precisions."""
    both = [posed(case, dtype) for dtype in (np.float32, np.float64)]
    return lambda: [backend.conv2d_backward(*tensors, case.params) for tensors in both]


def bare_loop(backend, case, agrees=NEAR):
    """Something that draws data and compares output and gradients in float32 with those in float64."""

    def computed(tensors):
        return backend.conv2d(*tensors[1:], case.params), *backend.conv2d_backward(*tensors, case.params)

    def compare():
        wide = posed(case, np.float64)
        narrow = [t if t is None else t.float() for t in wide]
        for got, wanted in zip(computed(narrow), computed(wide), strict=True):
            if got is not None:
                agrees(got.double(), wanted)

    return compare


def gradcheck(backend, case, *, fast):
    """Something that runs torch's check of gradients, in float64."""
    _, *tensors = posed(case, np.float64)
    inputs = [t if t is None else t.requires_grad_() for t in tensors]

    def check():
        with backend.recorded(case.params) as function:
            torch.autograd.gradcheck(function, inputs, fast_mode=fast, raise_exception=False)

    return check


def samples(backend):
    """What compares the layers of torch's own operator tests by `assert_close`."""
    agrees = partial(torch.testing.assert_close, rtol=1.3e-6, atol=1e-5)
    return [bare_loop(backend, Case.of(sample.params, sample.shape), agrees) for sample in torch_samples(0, 0)]


def core(case):
    """The oracles that judge every case."""
    return tuple(oracle for oracle in applicable(case) if oracle.every == 1)


def by_size(backend, sizes, rounds):
    """What core and all oracles take, a row for each size."""
    host, isolated = InProcessCandidate(lambda: backend), SubprocessCandidate(BACKEND)
    for layers in sizes:

        def judged(candidate, oracles, cases=layers.cases):
            return [partial(judge_case, candidate, case, oracles(case)) for case in cases]

        ways = {
            "floor": [floor(backend, case) for case in layers.cases],
            "core": judged(host, core),
            "worker": judged(isolated, core),
            "all": judged(isolated, lambda _: None),
        }
        ms = milliseconds(ways, layers.times, rounds)
        sets = layers.data_sets
        each, floors = ms["core"] / (len(QUANTITIES) * sets), ms["core"] / (sets * ms["floor"])
        ratios = ms["worker"] / ms["core"], ms["all"] / ms["worker"]
        yield [layers.name, sets, ms["floor"], each, ms["core"], floors, *ratios]
    isolated.close()


def other_tools(backend, sizes, rounds):
    """What other tools take in floors, a row for each size; gradcheck on the small alone."""
    for layers in sizes:
        some = layers.cases[::SLOW] if layers.times > 1 else layers.cases
        ways = {"floor": [floor(backend, case) for case in some], "loop": [bare_loop(backend, case) for case in some]}
        if layers.times > 1:
            ways["fast"] = [gradcheck(backend, case, fast=True) for case in some]
        if layers is sizes[0]:
            ways["slow"] = [gradcheck(backend, case, fast=False) for case in some]
        ms = milliseconds(ways, 1, rounds)
        yield [layers.name, *(ms[name] / ms["floor"] for name in ways if name != "floor")]


def milliseconds(ways, times, rounds):
    """The least milliseconds of CPU of one of each of several lists of things to run, measured in turns."""
    found = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, runs in ways.items():
            before = cpu()
            for run in runs * times:
                run()
            if turn:  # the first warms
                found[name].append((cpu() - before) / (len(runs) * times))
    return {name: 1000 * min(seconds) for name, seconds in found.items()}


def whole_run(examples, workers, folder):
    """Seconds of CPU and of the clock of a run, and the cases of its journal."""
    command = [
        sys.executable, "-m", "convcheck", "run", f"--backend={BACKEND}", f"--examples={examples}", "--seed=0",
        f"--workers={workers}", "--database=none", f"--name={workers}", f"--report-dir={folder}",
        "--known-failures=tests/known_failures",
    ]  # fmt: skip
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    lines = (folder / str(workers) / "journal.jsonl").read_text().split("\n")
    stretches = [json.loads(line)["stretch"] for line in lines if line.startswith('{"kind":"cases"')]
    judged = [(read(t), FAR if "reach" in stretch["origins"] else 1) for stretch in stretches for t in stretch["cases"]]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, judged


def candidate_and_reference(backend, judged):
    """Seconds of CPU that plain calls take, those of the other oracles that were due, and the reference's results.

    Layers that a run judges in slices take the candidate alone.
    """
    plain = others = right = 0.0
    for case, rarely in judged:
        if not case.is_legal_call or backend.capabilities.unsupported(case):
            continue
        trial = Trial(case, backend.capabilities)
        plain += called(backend, trial.calls)
        others += called(backend, extra_calls(trial, due(case, rarely)))
        values = [] if is_large(case) else [getattr(trial, regime) for regime in regimes(case)]
        before = time.process_time()
        for given in values:
            expected = Expected(case, given)
            for quantity in QUANTITIES[: 3 + case.params.bias]:
                expected.sum(quantity)
        right += time.process_time() - before
    return plain, others, right


def called(backend, calls):
    """Seconds of CPU that the backend takes for some calls, on tensors that lie there."""
    seconds = 0.0
    for call in calls.values():
        native = {name: backend.to_native(t.values.copy()) for name, t in call.tensors.items()}
        before = time.process_time()
        for _ in range(call.times):
            results_of(backend, call, Conv2dParams.of(call.arguments), native)
        seconds += time.process_time() - before
    return seconds


def of_runs(backend, examples):
    """The rows of the table of whole runs."""
    with TemporaryDirectory() as made:
        one, two = (whole_run(examples, workers, Path(made)) for workers in (1, 2))
    plain, others, right = candidate_and_reference(backend, one[2])
    every = plain + others + right
    yield ["plain calls of the candidate, CPU s", f"{plain:.1f}"]
    yield ["calls of other oracles, CPU s", f"{others:.1f}"]
    yield ["results of the reference, CPU s", f"{right:.1f}"]
    yield ["run with 1 worker, CPU s", f"{one[0]:.1f}"]
    yield ["times candidate and reference", f"{one[0] / every:.2f}"]
    yield ["1 worker, s", f"{one[1]:.1f}"]
    yield ["2 workers, s", f"{two[1]:.1f}"]
    yield ["times faster", f"{one[1] / two[1]:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=2000, help="of the whole runs; 0 for none")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # torch's, of a copy for 'same' with even kernels
    backend, rounds = load(BACKEND), options.rounds
    sizes = [
        Layers("tiny, 33 to 1,000 multiply-adds", drawn(backend.capabilities, 100, 1_000), times=2),
        Layers("small, 1,000 to 30,000", drawn(backend.capabilities, 100, 30_000), times=2),
        Layers("ResNet, batch 1", resnet(1)),
        Layers("ResNet, batch 8", resnet(8)),
    ]
    of_cases = ["floor, ms", "ms a quantity and data set", "core, ms", "in floors of its data sets"]
    headers = ["layers", "data sets", *of_cases, "in a worker, times", "all oracles, times"]
    print(tabulate(by_size(backend, sizes, rounds), headers, floatfmt=".2f"), flush=True)
    headers = ["in floors", "bare loop", "gradcheck, fast", "gradcheck, slow"]
    print(f"\n{tabulate(other_tools(backend, sizes, rounds), headers, floatfmt='.1f')}", flush=True)
    of_sample = milliseconds({"": samples(backend)}, 1, rounds)[""]
    print(f"\ntorch's sample inputs, assert_close: {of_sample:.2f} ms of CPU a sample", flush=True)
    if options.examples:
        print()
        print(tabulate(of_runs(backend, options.examples), [f"{options.examples:,} cases of {BACKEND}", ""]))


if __name__ == "__main__":
    main()
