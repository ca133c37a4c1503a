"""A candidate in this process: makes the calls of a backend, and watches what they do to memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from convcheck.execution.at_once import at_once
from convcheck.execution.backend_calls import names_of_results, results_of
from convcheck.execution.device_inputs import DeviceInputs
from convcheck.execution.forking import in_child
from convcheck.execution.free_memory import poison_for
from convcheck.execution.inputs import Inputs
from convcheck.execution.prepared import Prepared, Result, raised
from convcheck.execution.repeating import repeated
from convcheck.execution.results import Results
from convcheck.execution.surroundings import Surroundings
from convcheck.model.calls import Call, Launch, Outcome, Raised, Returned
from convcheck.model.capabilities import Capabilities
from convcheck.model.guarantees import Guarantee
from convcheck.plugin.accelerator import DeviceLostError, as_far_as
from convcheck.plugin.backend import Backend
from convcheck.plugin.backend_answers import accelerator_of, versions_of
from convcheck.plugin.own_words import ScriptCall, said_by
from convcheck.tensors.regions import Allocate, heap
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Arguments, Conv2dParams

_Made: TypeAlias = list[Result]
_Jobs: TypeAlias = Sequence[Sequence[Callable[[], Result]]]
_Run: TypeAlias = Callable[[_Jobs], list[_Made]]
"""Makes the calls of threads: one after the other, or at the same time."""


class InProcessCandidate:
    """A candidate in this process. A crash of the backend is a crash of this process.

    A call after which its device is lost raises `DeviceLostError`.

    Args:
        load: makes a fresh backend; called again by `restart`.
        allocate: where the candidate's tensors lie; by default on the heap, whatever a call asks for.
        outcomes: what it may raise, besides errors, as the outcome of a call; an interrupt at the keyboard ends the run
            where the candidate has no process of its own.
    """

    def __init__(
        self, load: Callable[[], Backend], allocate: Allocate = heap, outcomes: type[BaseException] = Exception
    ) -> None:
        self._load = load
        self._allocate = allocate
        self._caught = (Exception, SystemExit, GeneratorExit, outcomes)
        self.restart()

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._backend.name

    @property
    def capabilities(self) -> Capabilities:
        """What the backend says it supports, of streams and graphs what its device has."""
        return as_far_as(self._accelerator, self._backend.capabilities)

    @property
    def versions(self) -> Mapping[str, str]:
        """The backend's versions and settings."""
        return versions_of(self._backend)

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """None."""
        return ()

    def own_words(self, call: ScriptCall) -> tuple[str, ...]:
        """What the backend says of a call; raises `OwnWordsError` where it cannot."""
        return said_by(self._backend, call)

    def restart(self) -> None:
        """Load the backend anew; state in its modules stays, as in any one process."""
        self._backend = self._load()
        self._accelerator = accelerator_of(self._backend)
        self._inputs, self._results = [self._new_inputs()], Results()
        self._layer: tuple[Arguments | None, Conv2dParams | None] = None, None

    def close(self) -> None:
        """Nothing to release."""

    def call(self, call: Call) -> Returned | Raised:
        """Make one call: inputs in their layouts, poisoned free memory, and a look at the memory after."""
        if call.forked:
            return in_child(lambda: self.call(replace(call, forked=False)))
        with self._stream(call.launch):
            ((outcome,),) = self._outcomes(((call,),), _one_by_one)
            return self._again(call, outcome) if call.times > 1 and isinstance(outcome, Returned) else outcome

    def _again(self, call: Call, first: Returned) -> Returned | Raised:
        """Make a call that has returned again, as often as it asks for, on the tensors that lie there."""
        inputs, names = self._inputs[0], names_of_results(call)
        params = self._validated(call.arguments) or Conv2dParams.unchecked(call.arguments)
        invoke = partial(results_of, self._backend, call, params, inputs.given)

        def make() -> Mapping[str, Any] | Raised:
            result = self._tried(invoke)
            return result if isinstance(result, Raised) else self._arrays(dict(zip(names, result, strict=False)))

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            inputs.seal()
            surroundings = Surroundings()
            try:
                outcome = repeated(first, make, call.times)
            finally:
                left = (*first.left, *surroundings.restored())
                inputs.unseal()
        mutated, spilled = inputs.changes()
        if isinstance(outcome, Raised):
            self._check_device(outcome.message)
            return outcome
        return replace(
            outcome,
            mutated=tuple(dict.fromkeys((*first.mutated, *mutated))),
            spilled=tuple(dict.fromkeys((*first.spilled, *spilled))),
            left=tuple(dict.fromkeys(left)),
        )

    def _arrays(self, results: Mapping[str, Any]) -> Mapping[str, Any] | Raised:
        """The arrays of results by name; what a result that is no array raises."""
        present = {name: native for name, native in results.items() if native is not None}
        try:
            arrays = zip(present, self._backend.all_to_numpy([*present.values()]), strict=True)
        except self._caught as error:
            return raised(error)
        return {**dict.fromkeys(results), **dict(arrays)}

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> list[list[Returned | Raised]]:
        """Make the calls of several threads at the same time.

        Threads do nothing but call the backend: tensors are made before they start, and results are looked at when
        all have ended. So nothing of ours can race, and what one thread writes to a result of another is seen. Only
        what is computed when it is asked for (a lazy array, which may belong to its thread) is asked for there.
        """
        return self._outcomes(threads, self._in_threads)

    def _outcomes(self, threads: Sequence[Sequence[Call]], run: _Run) -> list[list[Returned | Raised]]:
        """The outcomes of each thread's calls, made in the way of `run`."""
        self._inputs += [self._new_inputs() for _ in range(sum(map(len, threads)) - len(self._inputs))]
        own = iter(self._inputs)
        # warnings are the candidate's own business, whatever this process makes of them
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            prepared = [[self._prepared(call, next(own)) for call in calls] for calls in threads]
            surroundings = Surroundings()
            try:
                made = run([[one.make for one in each] for each in prepared])
            finally:
                left = surroundings.restored()
                for one in chain.from_iterable(prepared):
                    one.inputs.unseal()
        return [
            [self._seen(one, result, left) for one, result in zip(*each, strict=True)]
            for each in zip(prepared, made, strict=True)
        ]

    def _in_threads(self, threads: _Jobs) -> list[_Made]:
        def made(each: Sequence[Callable[[], Result]]) -> _Made:
            with np.errstate(all="ignore"):  # holds in the thread that says so
                return [self._computed(make()) for make in each]

        return at_once([partial(made, each) for each in threads])

    def _computed(self, result: Result) -> Result:
        if not isinstance(result, Raised):
            for native in result:
                with suppress(Exception):  # whoever looks at the result meets it again
                    self._backend.to_numpy(native)
        return result

    def _prepared(self, call: Call, inputs: Inputs) -> Prepared:
        """A call that only has to be made: its tensors lie there, and can only be read."""
        try:
            params = self._validated(call.arguments)
            native = inputs.place(call, self._backend)
            # to look at new memory is to wait for the stream, which is not to be waited for before the call
            poisoned = params is not None and call.launch == "direct" and poison_for(call, params, native["x"])
            inputs.seal()
            unchecked = params or Conv2dParams.unchecked(call.arguments)
            invoke = partial(results_of, self._backend, call, unchecked, native)
            if call.launch == "graph" and self.capabilities.graphs:
                invoke = partial(self._replayed, invoke, inputs)
            else:
                inputs.write()
            make = partial(self._tried, invoke)
        except self._caught as error:  # whatever a candidate raises is an outcome, in `to_native` as well
            outcome = raised(error)
            return Prepared(call, inputs, lambda: outcome)
        return Prepared(call, inputs, make, poisoned)

    def _replayed(self, invoke: Callable[[], tuple[Any, ...]], inputs: Inputs) -> tuple[Any, ...]:
        """The backend's results of a call that is captured before the contents of its tensors are there."""
        assert self._accelerator is not None
        results, replay = self._accelerator.captured(invoke)
        inputs.write()
        replay()
        return results

    def _stream(self, launch: Launch) -> AbstractContextManager[object]:
        """What a call is made within."""
        if self._accelerator is None or launch != "stream" or not self.capabilities.streams:
            return nullcontext()
        return self._accelerator.on_stream()

    def _new_inputs(self) -> Inputs:
        if self._accelerator is None:
            return Inputs(self._allocate)
        return DeviceInputs(self._allocate, self._accelerator)

    def _tried(self, invoke: Callable[[], tuple[Any, ...]]) -> Result:
        """The backend's results, or what it raised."""
        try:
            return invoke()
        except self._caught as error:
            return raised(error)

    def _seen(self, prepared: Prepared, result: Result, left: tuple[str, ...]) -> Returned | Raised:
        """The outcome of a call that has been made, with what it did to memory."""
        inputs = prepared.inputs
        if isinstance(result, Raised):
            self._check_device(result.message)
            inputs.write()
            inputs.changes()  # what it did to them is undone before the next call
            return replace(result, left=left) if left else result
        memory = {name: buffer.region.whole for name, buffer in inputs.buffers.items()}
        named = dict(zip(names_of_results(prepared.call), result, strict=False))
        found = self._results.collect(self._backend, named, memory)
        if found.malformed:
            self._check_device("; ".join(found.malformed.values()))
        mutated, spilled = inputs.changes()
        return Returned(
            found.arrays,
            found.malformed,
            mutated=mutated,
            spilled=spilled,
            overwritten=found.overwritten,
            aliased=(*found.aliased, *inputs.aliased(named)),
            copied=tuple([name for name, buffer in inputs.buffers.items() if not buffer.shared]),
            poisoned=prepared.poisoned,
            contiguous=found.contiguous,
            channels_last=found.channels_last,
            left=left,
        )

    def _check_device(self, error: str) -> None:
        """Whether the device still computes after an error.

        Raises:
            DeviceLostError: it does not; nothing more comes of this process.
        """
        if self._accelerator is None:
            return
        try:
            self._accelerator.probe()
        except Exception as lost:
            first, *_ = [*filter(None, str(lost).splitlines()), error]
            raise DeviceLostError(f"the device computes nothing more: {type(lost).__name__}: {first}") from lost

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other."""
        return [self.call(call) for call in calls]

    def _validated(self, arguments: Arguments) -> Conv2dParams | None:
        """The layer; None for illegal arguments, which the candidate has to refuse."""
        # the calls of a case have one layer; equal ones may be spelled otherwise, as True is 1
        if arguments is not self._layer[0]:
            try:
                self._layer = arguments, Conv2dParams.of(arguments)
            except ConvcheckError:
                self._layer = arguments, None
        return self._layer[1]


def _one_by_one(threads: _Jobs) -> list[_Made]:
    return [[make() for make in each] for each in threads]
