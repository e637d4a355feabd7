"""What is sent to workers, and what is done about cells that fail or hang."""

import dataclasses
import io
import json
import pickle
import pickletools
import subprocess
import sys
from types import SimpleNamespace

import cloudpickle
import pytest
from distributed import KilledWorker

from studies.cells.task import Cell
from studies.run import arrivals, orders, sweep, work
from studies.run.clusters import ClusterError
from studies.study_file.loading import load_study
from studies.study_file.plan import make_plan
from tests.studies.cells.test_fused import descents
from tests.support.runs import BOWL, FEW

CELLS = make_plan(load_study(FEW)).cells(())


class Client:
    """A cluster that ends tasks as it is told, one after another.

    With a status, what a function makes of their words, or None where the worker dies.
    """

    def __init__(self, *ends):
        self.ends, self.sent = [*ends], []

    def nthreads(self):
        return {"a": 1}

    def submit(self, function, *words, key, **_):
        self.sent.append((function, words, key))
        end = self.ends.pop(0)
        if isinstance(end, str):
            end = work.Record(words[1], end, error="why")
        elif callable(end):
            end = end(words)
        status = "error" if end is None else "finished"
        future = SimpleNamespace(status=status, key=key, release=lambda: None, result=lambda: end)
        future.add_done_callback = lambda put: put(future)
        return future


def swept(client, cells, out, **care):
    records, said = [], []
    sweep.sweep(client, cells, out, records.append, lambda: False, said.append, care=sweep.Care(**care))
    return records, said


def test_a_cell_is_the_same_after_its_way_as_text():
    for cell in CELLS:
        same = orders.cell_of(orders.order(cell))
        assert same.address == cell.address
        assert (same.task, same.first, same.last) == (cell.task, cell.first, cell.last)


def test_a_scheduler_reads_texts_and_the_name_of_one_function(tmp_path):
    """It reads what clients submit; whatever else stands there it would have to import."""
    client = Client("failed")
    swept(client, CELLS[:1], tmp_path)
    ((function, words, _),) = client.sent
    assert all(type(word) in (str, float) for word in words)
    sent = cloudpickle.dumps((function, words))
    named, texts = [], []
    for code, word, _ in pickletools.genops(io.BytesIO(sent)):
        texts += [word] if isinstance(word, str) else []
        named += [tuple(texts[-2:])] if code.name == "STACK_GLOBAL" else []
        assert code.name not in ("GLOBAL", "INST", "EXT1")
    assert named == [("studies.run.orders", "compute")]
    assert pickle.loads(sent)[0] is orders.compute
    code = "import sys, studies.run.orders; print({'torch', 'xarray', 'h5py', 'dask', 'numpy'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_alike_cells_are_one_task_and_each_is_judged_alone_where_its_worker_dies(tmp_path):
    """Another's records come with its group; one that failed is tried again alone."""
    cells = [Cell(dataclasses.replace(each, block=512), 0, 2) for each in descents(0.1, 0.2, 0.3, 0.4)]
    failed = [work.Record(cell.address, "failed", error="why") for cell in cells]
    died = Client(None, *["failed"] * 4)
    records, _ = swept(died, cells, tmp_path, together=True)
    (together, (texts, addresses, *_), key), *alone = died.sent
    assert together is orders.compute_together
    assert len(json.loads(texts)) == 4
    assert (
        {*addresses.split()}
        == {record.address for record in records}
        == {cell.address for cell in cells}
    )
    assert [(function, words[1]) for function, words, _ in alone] == [
        (orders.compute, record.address) for record in records
    ]
    order = {record.address: record for record in failed}
    told = Client(lambda words: [order[address] for address in words[1].split()], *["failed"] * 4)
    records, said = swept(told, cells, tmp_path, together=True, retries=1)
    assert len(told.sent) == 5
    assert len(records) == len(said) == 4


def test_where_a_cell_has_its_own_time_none_are_together(tmp_path):
    cells = [Cell(dataclasses.replace(each, block=512), 0, 2) for each in descents(0.1, 0.2)]
    client = Client("failed", "failed")
    swept(client, cells, tmp_path, together=True, **{sweep.Care._fields[0]: 2.5})
    assert [function for function, *_ in client.sent] == [orders.compute] * 2


def test_a_plugin_that_a_worker_lacks_is_one_line_at_the_start():
    assert arrivals.named(CELLS) == [BOWL]
    assert arrivals.lacking([BOWL]) == ""
    lost = "nowhere_at_all:Bowl"

    class Cluster:
        def run(self, function, on_error):
            return {"tcp://1": function(), "tcp://2": function()}

    sweep.check_workers(Cluster(), [BOWL])
    why = "the worker tcp://1: cannot import 'nowhere_at_all:Bowl': No module named .*; put the module where workers"
    with pytest.raises(ClusterError, match=why):
        sweep.check_workers(Cluster(), [lost])


def test_a_cell_that_failed_is_tried_again_as_often_as_asked(tmp_path):
    client = Client("failed", "failed", "done")
    (tmp_path / "cells" / CELLS[0].address[:2]).mkdir(parents=True)
    (tmp_path / "cells" / CELLS[0].address[:2] / f"{CELLS[0].address}.nc").touch()
    records, said = swept(client, CELLS[:1], tmp_path, retries=2)
    assert [record.status for record in records] == ["done"]
    assert [line.split("again ")[1] for line in said] == ["(1 of 2): why", "(2 of 2): why"]
    assert len({key for *_, key in client.sent}) == 3  # Dask keeps what became of a key

    client = Client("failed", "failed", "failed")
    records, said = swept(client, CELLS[:1], tmp_path, retries=1)
    assert ([record.status for record in records], len(said), len(client.ends)) == (["failed"], 1, 1)

    client = Client("refused", "done")
    records, said = swept(client, CELLS[:1], tmp_path, retries=1)
    assert [record.status for record in records] == ["refused"]  # a mistake of the user stays one
    assert said == []


DUMP = """worlds 0 .. 2 on here, process 7
Timeout (0:00:01)!
Thread 0x00007f01 (most recent call first):
  File "/lib/threading.py", line 324 in wait
Thread 0x00007f02 (most recent call first):
  File "/home/me/mine.py", line 12 in bind
  File "/x/studies/cells/loop.py", line 99 in run_cell
  File "/x/studies/run/work.py", line 150 in _run
"""


def test_a_worker_that_dies_before_its_record_is_taken_is_one_that_died(tmp_path):
    """Dask asks another worker for a result that is gone, which may die too."""

    class Gone(Client):
        def submit(self, *words, **more):
            future = super().submit(*words, **more)
            future.result = lost if len(self.sent) == 1 else future.result
            return future

    def lost():
        raise KilledWorker("cell", "a worker", 1)

    client = Gone("done", "failed")
    records, _ = swept(client, CELLS[:1], tmp_path)
    assert len(client.sent) == 2
    assert [record.error for record in records] == ["why"]


def test_a_cell_that_took_too_long_is_not_judged_again(tmp_path):
    for cell in CELLS[:2]:
        note = tmp_path / "crash" / f"{cell.address}.1.txt"
        note.parent.mkdir(exist_ok=True)
        note.write_text(DUMP if cell is CELLS[0] else DUMP.splitlines()[0])
    records, _ = swept(Client(None), CELLS[:1], tmp_path)
    (record,) = records
    assert record.error == (
        'it took longer than cell_timeout allows, and was ended in File "/home/me/mine.py", line 12 in bind'
    )
    records, _ = swept(
        Client(None, None), CELLS[1:2], tmp_path
    )  # its worker was killed: alone, once more
    assert records[0].error.startswith("the worker was killed")


def test_the_time_that_a_cell_may_take_goes_with_it(tmp_path):
    client = Client("failed")
    swept(client, CELLS[:1], tmp_path, **{sweep.Care._fields[0]: 2.5})
    assert client.sent[0][1][-2] == 2.5


def test_what_failed_is_tried_again_as_it_is(tmp_path):
    """Whether steps are compiled goes with a cell, but not with one that failed, or took its worker down."""
    for first in ("failed", None):
        client = Client(first, "failed", "failed", "failed")
        swept(client, CELLS[:1], tmp_path, retries=1, compiled="on")
        assert [sent[1][-1] for sent in client.sent][:2] == ["on", "off"]
