"""Parts judged by the workers of a real cluster come to what they come to here, whoever is killed meanwhile."""

import json
import os
import signal
import sys
from types import SimpleNamespace

import pytest
from distributed import LocalCluster

from convcheck.campaign import cluster as clusters
from convcheck.campaign.campaign import run, silent
from convcheck.campaign.cluster_worker import ended_by
from convcheck.campaign.journal import PartDone, text_of
from convcheck.campaign.options import Options
from convcheck.campaign.past import Past
from convcheck.campaign.scheduler import ClusterError
from convcheck.model.ladder import Ladder
from convcheck.model.record_lines import to_lines

WRONG = "convcheck.defects:group-outputs-interleaved"
OPTIONS = Options(
    specs=(WRONG,), examples=20, diagnosis_calls=5, dtypes=("float32",), in_process=True, reach=Ladder.QUICK
)


def ran(journal, progress=silent, past=None, **options):
    chosen = Options(**{**vars(OPTIONS), **options})
    return run(chosen, name="", command="", progress=progress, journal=journal, past=past)


def said(record):
    entries = [json.loads(line) for line in to_lines(record)]
    return [{name: value for name, value in entry.items() if name not in ("seconds", "started")} for entry in entries]


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as made:
        yield made


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return said(ran(tmp_path_factory.mktemp("here") / "journal"))


@pytest.mark.filterwarnings("default")  # of Dask's, when a worker is lost
def test_a_worker_that_is_killed_costs_time_and_nothing_else(tmp_path, cluster, here):
    killed = []

    def kill(_spec, _cases, _state):
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    journal = tmp_path / "journal"
    assert said(ran(journal, kill, scheduler=cluster.scheduler_address)) == here
    assert killed
    past = Past(journal)
    parts = [past.part(0, index) for index in past.numbers(0)]
    assert all(part.done for part in parts)
    assert sum(len(part.cases) for part in parts) == sum(part.tally.cases for part in parts) > 0
    lines = journal.read_bytes().splitlines()
    cut = next(n for n, line in enumerate(lines) if b'"kind":"part"' in line) + 1
    journal.write_bytes(b"\n".join(lines[:cut]))
    assert said(ran(journal, scheduler=cluster.scheduler_address, past=Past(journal))) == here


def test_backends_of_a_device_need_workers_that_have_one(tmp_path, cluster, monkeypatch):
    on_device = SimpleNamespace(name="mine", versions={"device": "cuda:0, a card"}, close=lambda: None)
    client = SimpleNamespace(scheduler_info=lambda **_: {"workers": {"one": {"resources": {}}}})
    with pytest.raises(ClusterError, match="--resources gpu=1"):
        clusters._resources(on_device, client)
    client = SimpleNamespace(scheduler_info=lambda **_: {"workers": {"one": {"resources": {"gpu": 1}}}})
    assert clusters._resources(on_device, client) == {"gpu": 1}
    assert clusters._resources(SimpleNamespace(name="mine", versions={"numpy": "2"}), client) == {}


def test_nobody_at_the_address_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "_WAIT", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(ClusterError, match="expected the address of a scheduler"):
            ran(tmp_path / "journal", scheduler=address)


def test_without_dask_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "convcheck.campaign.cluster")
    monkeypatch.delitem(sys.modules, "convcheck.campaign.cluster_worker")
    with pytest.raises(ClusterError, match=r"pip install 'convcheck\[cluster\]'"):
        ran(tmp_path / "journal", scheduler="local")


def test_the_last_line_of_a_part_is_known():
    assert ended_by(text_of(PartDone(at=0, part=7, attempt="a", failures=(), seconds={}))) == {7}
    assert ended_by('{"kind":"cases","at":0}') == set()
