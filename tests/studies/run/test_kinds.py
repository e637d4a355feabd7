"""Clusters that are started: what Dask is told, job scripts, GPUs, cores, walltimes, mistakes in one line."""

import asyncio
import contextlib
import copy
import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import dask
import pytest
from distributed import Client, Scheduler

from studies.run import (
    arrivals,
    cards,
    clusters,
    environment,
    hosts,
    kinds,
    lasting,
    local,
    machine,
    walltime,
    worker,
)
from studies.run.__main__ import main
from studies.run.kinds import ClusterError
from studies.study_file.cluster import Cluster, given
from tests.support.each import each
from tests.support.own_cluster import BEGAN, GO, Noted, landing
from tests.support.patience import patience
from tests.support.runs import FEW, unpaced, write  # noqa: F401

FOLDERS = kinds.Folders(Path("logs"), Path("hidden"))
MINE = "tests.support.own_cluster:Noted"


@pytest.fixture(autouse=True)
def dask_as_it_was():
    importlib.import_module("dask_jobqueue")  # which adds its settings when it is imported
    before = copy.deepcopy(dask.config.config)
    yield
    dask.config.config.clear()
    dask.config.config.update(before)


# job scripts ------------------------------------------------------------------------------------------------

JOB = {"queue": "short", "memory": "2GB", "walltime": "01:00:00"}
DIRECTIVES = {
    "slurm": [
        "#SBATCH -p short",
        "#SBATCH --cpus-per-task=1",
        "#SBATCH --mem=2G",
        "#SBATCH -t 01:00:00",
    ],
    "pbs": ["#PBS -q short", "#PBS -l select=1:ncpus=1:mem=1908MB", "#PBS -l walltime=01:00:00"],
    "sge": ["#$ -q short", "#$ -l h_rt=01:00:00"],
    "lsf": ["#BSUB -q short", "#BSUB -n 1", "#BSUB -W 01:00"],
}


@pytest.mark.parametrize("kind", DIRECTIVES)
def test_a_job_script_has_what_is_asked_the_environment_and_a_life_shorter_than_the_job(kind):
    words = JOB | {"walltime": "01:00"} if kind == "lsf" else JOB
    lines = kinds.script(Cluster(kind=kind, **words)).splitlines()
    assert set(DIRECTIVES[kind]) <= set(lines), lines
    for name, value in environment.ENVIRONMENT.items():
        assert f"export {name}={value}" in lines
    [command] = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert command.startswith(sys.executable)
    assert "--nthreads 1 " in command
    assert "--worker-class studies.run.lasting.Lasting" in command
    assert "--lifetime 3060s --lifetime-stagger 180s" in command
    assert "GPU" not in command


def test_words_of_dask_jobqueue_are_handed_on_and_ours_come_before():
    words = JOB | {
        "cores": 4,
        "job_extra_directives": ["--gres=gpu:1"],
        "job_script_prologue": ["module load cuda"],
        "worker_extra_args": ["--lifetime", "5m"],
        "gpus": 1,
    }
    lines = kinds.script(Cluster(kind="slurm", **words)).splitlines()
    assert "#SBATCH --gres=gpu:1" in lines
    assert "#SBATCH --cpus-per-task=4" in lines
    assert lines.index("export MKL_CBWR=COMPATIBLE") < lines.index("module load cuda")
    command = lines[-1]
    assert "--resources GPU=1" in command
    assert command.index("--lifetime 3060s") < command.index("--lifetime 5m")  # the last counts
    assert "--nworkers" not in command  # one process has the GPU


def test_every_core_of_a_job_is_a_worker():
    lines = kinds.script(Cluster(kind="slurm", memory="8GB", cores=4)).splitlines()
    assert "--nthreads 1 --memory-limit 1.86GiB --nworkers 4" in lines[-1]
    assert kinds.most_workers(Cluster(kind="slurm", cores=4, adapt=[0, 200])) == 800


@pytest.mark.usefixtures("unpaced")
@pytest.mark.parametrize(("kind", "line"), [("slurm", "#SBATCH -p short"), ("sge", "#$ -q short")])
def test_a_dry_run_prints_the_script_and_writes_nothing(tmp_path, capsys, kind, line):
    path = write(tmp_path, FEW | {"cluster": {kind: JOB | {"jobs": 20}}})
    out = tmp_path / "out"
    assert main([str(path), "--out", str(out), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "each of 20 jobs:" in said
    assert line in said
    assert not out.exists()


WRONG = [
    (
        {"kind": "slurm"},
        "cluster: slurm: ValueError: You must specify how much cores and memory per job",
    ),
    ({"kind": "slurm", "memory": "1GB", "job_extr": []}, "unexpected keyword argument 'job_extr'"),
    (
        {"kind": "slurm", "memory": "1GB", "walltime": "a day"},
        "expected a walltime as 30 (minutes), 01:30:00",
    ),
    (
        {"kind": "slurm", "memory": "1GB", "gpus": 2},
        "cluster.gpus: expected 1, a GPU for each batch job",
    ),
]


@each(("said", "line"), WRONG)
def test_a_mistake_is_one_line(said, line):
    with pytest.raises(ClusterError) as error:
        kinds.script(Cluster(**said))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("module", "kind", "remedy"),
    [
        ("dask_jobqueue", "slurm", "pip install 'two-descents[clusters]'"),
        ("dask_kubernetes.operator", "kubernetes", "pip install 'two-descents[kubernetes]'"),
        ("asyncssh", "ssh", "pip install 'two-descents[clusters]'"),
    ],
)
def test_a_library_that_is_not_there_is_one_line_with_the_remedy(
    monkeypatch, tmp_path, module, kind, remedy
):
    monkeypatch.setitem(sys.modules, module, None)
    more = {"hosts": ["a"]} if kind == "ssh" else {}
    with pytest.raises(ClusterError, match=f"cluster: {kind} needs {module}, which") as error:
        kinds.started(Cluster(kind=kind, **more), kinds.Folders(tmp_path, tmp_path))
    assert str(error.value).endswith(remedy)


@each(
    ("text", "hours_first", "seconds"),
    [
        ("30", False, 1800),
        ("01:30", False, 90),
        ("01:30", True, 5400),
        ("01:30:10", False, 5410),
        ("2-12", False, 216000),
        ("1-00:30", False, 88200),
        ("1-01:00:05", False, 90005),
    ],
)
def test_a_walltime_is_read_as_the_batch_system_does(text, hours_first, seconds):
    assert walltime.seconds(text, hours_first=hours_first) == seconds


# any class, and Kubernetes ----------------------------------------------------------------------------------


def test_a_class_of_ones_own_is_made_with_what_is_said_and_scaled(tmp_path):
    made = kinds.started(given_data({"kind": MINE, "zone": "b", "adapt": [0, 7]}), FOLDERS)
    assert isinstance(made, Noted)
    assert made.words == {"zone": "b"}
    assert made.asked == [{"minimum": 0, "maximum": 7}]
    assert kinds.started(given_data({"kind": MINE, "jobs": 3}), FOLDERS).asked == [3]
    assert kinds.started(given_data(MINE), FOLDERS).asked == []


def given_data(data):
    return Cluster.model_validate(data)


def test_schedulers_and_nannies_of_dask_get_our_settings(tmp_path):
    kinds.started(given_data(MINE), FOLDERS)
    assert dask.config.get("distributed.scheduler.allowed-failures") == 0
    assert dask.config.get("distributed.worker.profile.enabled") is False
    nanny = dask.config.get("distributed.nanny.pre-spawn-environ")
    assert (environment.NUMBERS | environment.MEMORY).items() <= nanny.items()


def test_pods_of_kubernetes_get_our_environment(monkeypatch, tmp_path):
    """Its library is not here: what it would be told."""
    monkeypatch.setitem(sys.modules, "dask_kubernetes", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "dask_kubernetes.operator", SimpleNamespace(KubeCluster=Noted))
    said = {"kind": "kubernetes", "image": "mine:1", "env": {"A": "1"}, "jobs": 4}
    made = kinds.started(given_data(said), FOLDERS)
    assert made.words["image"] == "mine:1"
    assert made.words["env"] == environment.ENVIRONMENT | {"A": "1"}
    assert made.words["name"].startswith("studies-")
    assert made.asked == [4]


def test_a_class_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ClusterError, match="tests.support.own_cluster has no 'Other'"):
        kinds.started(given_data("tests.support.own_cluster:Other"), FOLDERS)


def test_what_runs_a_cluster_by_ssh_has_a_process_for_each_gpu():
    assert hosts._starts(8, None) == [({}, {"n_workers": 8})]
    [first, second] = hosts._starts(8, 2)
    assert first == ({"CUDA_VISIBLE_DEVICES": "0"}, {"n_workers": 1, "resources": {"GPU": 1}})
    assert second[0] == {"CUDA_VISIBLE_DEVICES": "1"}


def test_a_host_that_does_not_see_the_folder_is_one_line(monkeypatch):
    asyncssh = pytest.importorskip("asyncssh")

    class Connection:
        async def run(self, command):
            return SimpleNamespace(exit_status=int(command == "test -r '/a b/.c/key.pem'"), stdout="4")

    monkeypatch.setattr(asyncssh, "connect", lambda name, **_: contextlib.nullcontext(Connection()))
    [host] = hosts.hosts_of(Cluster(kind="ssh", hosts=["node1"]))
    assert asyncio.run(hosts._asked(host, "/elsewhere/.c/key.pem")) == 4
    with pytest.raises(
        kinds.ClusterError, match="^cluster: node1 does not see the folder /a b; give --out"
    ):
        asyncio.run(hosts._asked(host, "/a b/.c/key.pem"))


# --cluster --------------------------------------------------------------------------------------------------


def test_a_cluster_stands_in_a_file_of_its_own_or_in_dask_s(tmp_path):
    text = "cluster: {slurm: {memory: 1GB, jobs: 2}}"
    (tmp_path / "site.yaml").write_text(text)
    assert given(str(tmp_path / "site.yaml")) == Cluster(kind="slurm", memory="1GB", jobs=2)
    (tmp_path / "site.yaml").write_text("kind: pbs")
    assert given(str(tmp_path / "site.yaml")) == Cluster(kind="pbs")
    (tmp_path / "scheduler.json").write_text(json.dumps({"address": "tcp://a:1", "workers": {}}))
    assert given(str(tmp_path / "scheduler.json")) == Cluster(kind="tcp://a:1")
    assert given("slurm") == Cluster(kind="slurm")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--cluster", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--cluster", "ssh"], "cluster: expected hosts: [..] of ssh"),
        (["--wait", "soon"], "expected a time as 90s, 20min or 2h, got 'soon'"),
    ],
)
def test_a_wrong_place_on_the_command_line_is_one_line(words, line, capsys):
    with pytest.raises(SystemExit) as error:
        main(["quickstart", *words])
    assert error.value.code == 2
    assert line in capsys.readouterr().err


def test_a_wait_on_the_command_line_goes_before_that_of_the_study():
    assert clusters.waiting(Cluster(wait="1h"), "90s").seconds_of_wait == 90
    assert clusters.waiting(Cluster(wait="1h"), None).seconds_of_wait == 3600


# cores and cards --------------------------------------------------------------------------------------------


def test_cores_are_no_more_than_the_batch_system_gave(monkeypatch):
    for name in environment.BATCH_CORES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("dask.system.cpu_count", lambda: 16)
    assert environment.cores() == 16
    monkeypatch.setenv("NSLOTS", "undefined")
    assert environment.cores() == 16
    for name, count in zip(environment.BATCH_CORES, (8, 4, 2), strict=True):
        monkeypatch.setenv(name, str(count))
        assert environment.cores() == count


@pytest.fixture
def two_cards(tmp_path, monkeypatch):
    """A driver that tells of two cards."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, NVIDIA H200, 570.1'\necho '1, NVIDIA A100, 570.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    cards.cards.cache_clear()
    yield
    cards.cards.cache_clear()


def test_each_card_has_a_worker_that_sees_it_alone(two_cards, monkeypatch):
    every = worker.processes(["tcp://a:1"], cards.visible(), 16)
    assert [one.environment["CUDA_VISIBLE_DEVICES"] for one in every] == ["0", "1"]
    assert all(one.command[-2:] == ["--resources", "GPU=1"] for one in every)
    assert all(environment.ENVIRONMENT.items() <= one.environment.items() for one in every)
    cluster = clusters.with_cards(Cluster(memory="4GB"), cuda=True)
    assert local.slots(cluster) == [("4GB", "0"), ("4GB", "1")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    facts = machine.facts("cuda")
    assert (facts["card"], facts["driver"]) == ("NVIDIA A100", "570.1")
    assert {"cpu", "capability"} == set(machine.facts("cpu"))
    assert machine.kind().endswith("NVIDIA A100 570.1")
    assert local.slots(clusters.with_cards(Cluster(), cuda=True)) == [(None, "1")]
    with pytest.raises(ClusterError, match=r"cluster.gpus: expected at most 1, .* got 2"):
        local.slots(Cluster(gpus=2))


def test_memory_that_is_no_size_is_told_before_a_worker_starts():
    with pytest.raises(ClusterError, match="cluster: local: ValueError: Could not interpret 'bananas'"):
        local.local_cluster(Cluster(workers=1, memory="4 bananas"))


def test_cells_without_cuda_take_a_core_each(two_cards, monkeypatch):
    monkeypatch.setattr(local, "cores", lambda: 3)
    assert local.slots(clusters.with_cards(Cluster(), cuda=False)) == [(None, None)] * 3
    assert local.slots(clusters.with_cards(Cluster(workers=2), cuda=True)) == [(None, None)] * 2


def test_workers_by_hand_on_a_machine_without_a_card(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    [one] = worker.processes(["tcp://a:1", "--interface", "ib0"], cards.visible(), 5)
    assert one.command[-5:] == ["tcp://a:1", "--interface", "ib0", "--nworkers", "5"]
    assert worker.main(["--count", "--workers", "5"]) == 0
    assert capsys.readouterr().out == "5\n"
    with pytest.raises(SystemExit, match="2"):
        worker.main([])


@each(
    ("said", "device", "resolved"),
    [
        ({"kind": "slurm", "gpus": 1}, "auto", "cuda"),
        ({"kind": "slurm"}, "auto", "cpu"),
        ({"kind": "slurm", "gpus": 1}, "cpu", "cpu"),
        ({"kind": "local"}, "auto", "auto"),  # this machine is asked when cells are planned
    ],
)
def test_auto_is_what_workers_have(said, device, resolved):
    assert clusters.device_of(Cluster(**said), device) == resolved


@pytest.mark.parametrize(("cards_of", "device"), [([[], ["0"]], "cuda"), ([[], []], "cpu")])
def test_workers_at_an_address_are_asked_for_their_cards(monkeypatch, cards_of, device):
    answers = dict(zip("ab", cards_of, strict=True)) | {"c": OSError("gone")}
    client = SimpleNamespace(run=lambda call, on_error: answers)
    monkeypatch.setattr(clusters, "connect", lambda cluster, say: contextlib.nullcontext(client))
    assert clusters.device_of(Cluster(kind="tcp://a:1"), "auto") == device


class Deserted:
    """A client of a scheduler without workers."""

    scheduler = SimpleNamespace(address="tcp://a:1")

    def __init__(self):
        self.waited = []

    def wait_for_workers(self, count, timeout):
        self.waited.append(timeout)
        raise TimeoutError


@pytest.mark.parametrize(("wait", "waited", "lines"), [("2h", [10, 7190], 1), ("5s", [5], 0)])
def test_it_is_said_that_a_first_worker_is_long_in_coming(monkeypatch, wait, waited, lines):
    client, said = Deserted(), []
    monkeypatch.setattr(clusters, "_client", lambda *words: contextlib.nullcontext(client))
    cluster = Cluster(kind="tcp://a:1", wait=wait)
    with pytest.raises(ClusterError, match="no worker came to tcp://a:1 within"):
        with clusters.connect(cluster, say=said.append):
            pytest.fail("a worker came")
    assert client.waited == waited
    assert said == [f"{kinds.NOBODY}, for 2 h at most"] * lines


# who comes late ---------------------------------------------------------------------------------------------


def test_a_worker_that_differs_is_sent_away_and_machines_of_another_kind_are_told():
    versions = {"torch": "2", "code": "ab"}
    assert arrivals.different(versions, versions, "COMPATIBLE") == ""
    assert "expected code ab, got cd; restart" in arrivals.different(
        versions, versions | {"code": "cd"}, None
    )
    mode = arrivals.different(versions, versions, None)
    assert "expected MKL_CBWR=COMPATIBLE in its environment, got None" in mode
    kinds_seen = set()
    first = {"worker": "tcp://a", "problem": "", "machine": "EPYC AVX2"}
    assert not list(arrivals.lines(first, kinds_seen))
    assert not list(arrivals.lines(first | {"worker": "tcp://b"}, kinds_seen))
    [line] = arrivals.lines(first | {"machine": "Xeon AVX512"}, kinds_seen)
    assert line == f"{arrivals.MIXED}: EPYC AVX2, Xeon AVX512"
    [line] = arrivals.lines(first | {"problem": "too old"}, kinds_seen)
    assert line == "cluster: the worker tcp://a is sent away: too old"


def test_a_scheduler_is_asked_while_a_run_lives_and_forgets_it_after():
    """Or workers that come later, of newer code, would be sent away by what an earlier run asked."""
    hears, plugins, said = [], [], []
    client = SimpleNamespace(
        id="one",
        status="running",
        subscribe_topic=lambda topic, hear: hears.append(hear),
        log_event=lambda topic, message: hears[0]((0.0, message)),
        register_plugin=plugins.append,
        unregister_worker_plugin=lambda name: plugins.remove(
            next(plugin for plugin in plugins if plugin.name == name)
        ),
    )
    with arrivals.watched(client, said.append):
        assert len(plugins) == 1
        for _ in range(2):
            hears[0]((0.0, {"worker": "tcp://a", "problem": "too old", "machine": ""}))
    assert said == ["cluster: the worker tcp://a is sent away: too old"]
    assert plugins == []


def test_no_worker_is_asked_before_a_subscription_holds():
    """What Dask does: it sends a subscription later than it was asked for."""
    hears, asked, sent, heard = [], [], [], []

    def log_event(topic, message):
        sent.append(message)
        if len(sent) == 3:  # by now the subscription has come
            hears.extend(asked)
        for hear in hears:
            hear((0.0, {"echo": "of another run"}))
            hear((0.0, message))

    client = SimpleNamespace(
        subscribe_topic=lambda topic, hear: asked.append(hear), log_event=log_event
    )
    arrivals.subscribe(client, heard.append)
    assert len(sent) == 3
    assert heard == []
    asked[0]((1.0, {"worker": "tcp://a"}))
    assert heard == [(1.0, {"worker": "tcp://a"})]


def test_workers_come_late_and_end_after_their_cell():
    """One whose code differs is closed; at the end of its life one waits for its cell, and takes no other."""

    async def play():
        own = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
        async with (
            Scheduler(port=0, **own) as scheduler,
            Client(scheduler.address, asynchronous=True) as client,
        ):
            asks = arrivals.Arrival({"code": "of another time"}, [], client.id)
            await client.register_plugin(asks)
            async with lasting.Lasting(scheduler.address, nthreads=1, memory_limit=0, **own) as wrong:
                await wrong.finished()
            await client.unregister_worker_plugin(asks.name)
            async with Client(
                scheduler.address, asynchronous=True
            ) as killed:  # as the scheduler sees it
                left = arrivals.Arrival({"code": "of a run that was killed"}, [], killed.id)
                await killed.register_plugin(left)
            assert left.name in scheduler.worker_plugins
            late = await lasting.Lasting(scheduler.address, nthreads=1, memory_limit=0, **own)
            first = client.submit(landing)
            assert await asyncio.to_thread(BEGAN.wait, patience())
            second = client.submit(landing, pure=False)
            end = asyncio.ensure_future(late.close_gracefully())
            await asyncio.sleep(3 * lasting.LOOK)
            assert not end.done()
            GO.set()
            assert await first == "landed"
            first.release()
            await end
            assert second.status == "pending"
            await late.finished()
            return [event for _, event in await client.get_events(arrivals.TOPIC)]

    [event] = asyncio.run(asyncio.wait_for(play(), patience()))
    assert "expected code of another time" in event["problem"]
