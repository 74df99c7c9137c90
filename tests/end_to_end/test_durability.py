"""What is acknowledged is on disk, once, whatever happens to the process."""

import random
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.collecting import Collector
from tests.collector.requests import body_of, request, span, text_attribute
from tests.oracle import Oracle, Sender, stored_rows

PATIENCE_S = 15  # for a stop with work in hand; on a free machine it takes one or two


def senders(oracle: Oracle, collector: Collector, seed: int) -> list[Sender]:
    """Four running senders, two for each transport."""
    started = [
        Sender(oracle, collector.grpc_port if i % 2 else None, collector.http_port, seed * 10 + i) for i in range(4)
    ]
    for sender in started:
        sender.start()
    return started


def crash(data_dir: Path, cycles: int, seed: int) -> None:
    """Kills the collector under load `cycles` times, then checks what is stored."""
    chance = random.Random(seed)
    oracle = Oracle(seed)
    grpc_port = http_port = 0
    waited_s, worked_s = [], []
    for cycle in range(cycles):
        began = time.monotonic()
        collector = Collector(data_dir, grpc_port=grpc_port, http_port=http_port)
        grpc_port, http_port = collector.grpc_port, collector.http_port
        first = oracle.take(1)
        assert collector.post(oracle.body(first)).status_code == 200
        waited_s.append(time.monotonic() - began - collector.queued_for_cpu_s())
        worked_s.append(sum(psutil.Process(collector.process.pid).cpu_times()[:2]))
        oracle.acknowledge(first)
        running = senders(oracle, collector, seed + cycle)
        time.sleep(chance.uniform(0.1, 0.8))
        collector.kill()
        for sender in running:
            sender.stop()
    with Collector(data_dir) as collector:
        fresh = oracle.take(10)
        assert collector.post(oracle.body(fresh)).status_code == 200
        oracle.acknowledge(fresh)
        counters = collector.health()["ingest"]
    rows = stored_rows(collector.store)
    oracle.check(rows)
    assert len(oracle.obligations) > cycles
    assert counters["received"] == counters["stored"] + counters["duplicate"] + counters["rejected"]
    assert counters["stored"] == len(rows)
    assert max(worked_s) < 3, f"accepting again cost {sorted(worked_s)} s of CPU, seed {seed}"
    assert max(waited_s) < 3, f"accepting again took {sorted(waited_s)} s, seed {seed}"


def test_a_kill_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    crash(tmp_path / "data", cycles=2, seed=random.randrange(10**6))


@pytest.mark.slow
def test_twenty_five_kills_under_load_lose_nothing_acknowledged(tmp_path: Path) -> None:
    crash(tmp_path / "data", cycles=25, seed=random.randrange(10**6))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_drains_and_leaves_no_log(tmp_path: Path, number: signal.Signals) -> None:
    oracle = Oracle(7)
    collector = Collector(tmp_path / "data")
    running = senders(oracle, collector, 7)
    time.sleep(1)
    collector.process.send_signal(number)
    threading.Timer(0.1, lambda: collector.process.send_signal(number)).start()  # an impatient second one
    took_s = collector.stop()
    for sender in running:
        sender.stop()
    assert collector.process.returncode == 0
    assert took_s < PATIENCE_S
    assert sorted(file.name for file in collector.data_dir.iterdir()) == ["seamscope.duckdb"]
    assert not [line for line in collector.log if "Traceback" in line]
    assert oracle.obligations
    oracle.check(stored_rows(collector.store))


def test_a_request_that_waits_at_a_stop_is_answered_for_what_it_is(tmp_path: Path) -> None:
    """Acknowledged means stored, also in the last second; anything else is a retryable refusal."""
    oracle = Oracle(8)
    collector = Collector(tmp_path / "data")
    answers: dict[int, int] = {}
    batches = [oracle.take(500) for _ in range(20)]

    def send(i: int) -> None:
        try:
            answers[i] = collector.post(oracle.body(batches[i])).status_code
        except Exception:
            answers[i] = 0

    threads = [threading.Thread(target=send, args=(i,)) for i in range(len(batches))]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert collector.stop() < PATIENCE_S
    for thread in threads:
        thread.join()
    assert set(answers.values()) <= {200, 503, 0}
    for i, status in answers.items():
        if status == 200:
            oracle.acknowledge(batches[i])
    oracle.check(stored_rows(collector.store))


# --- F9: the same span again ---------------------------------------------------------------------------------------


def test_a_batch_sent_again_is_stored_once_also_across_a_restart(tmp_path: Path) -> None:
    oracle = Oracle(9)
    first, second = oracle.body(oracle.take(100)), oracle.body(oracle.take(100))
    with Collector(tmp_path / "data") as collector:
        for body in (first, second, first, first + second):
            assert collector.post(body).status_code == 200
    with Collector(tmp_path / "data") as collector:
        assert collector.post(second).status_code == 200
        collector.kill()
    with Collector(tmp_path / "data") as collector:
        assert collector.post(first).status_code == 200
        counters = collector.health()["ingest"]
    oracle.acknowledge(range(200))
    oracle.check(stored_rows(collector.store))
    assert (counters["received"], counters["stored"]) == (700, 200)
    assert (counters["duplicate"], counters["conflict"]) == (500, 0)


def test_of_two_versions_the_ended_one_is_kept_whichever_came_first(tmp_path: Path) -> None:
    bodies = {}
    for n in range(4):
        started = span(n, end_time_unix_nano=0, attributes=[text_attribute("state", "started")])
        ended = span(n, status={"code": 1}, attributes=[text_attribute("state", "ended")])
        bodies[n] = request(started).SerializeToString(), request(ended).SerializeToString()
    with Collector(tmp_path / "data") as collector:
        for body in (bodies[0][0], bodies[0][1], bodies[1][1], bodies[1][0]):
            assert collector.post(body).status_code == 200
        assert collector.post(bodies[2][0] + bodies[2][1]).status_code == 200
        assert collector.post(bodies[3][1]).status_code == 200
    with Collector(tmp_path / "data") as collector:
        assert collector.post(bodies[3][0]).status_code == 200
        counters = collector.health()["ingest"]
        rows = collector.spans()
    assert [row["attributes"]["state"] for row in rows] == ["ended"] * 4
    assert all(row["end_ns"] and row["status_code"] == 1 for row in rows)
    assert (counters["stored"], counters["duplicate"], counters["conflict"]) == (4, 4, 4)


def test_the_store_opens_in_a_plain_duckdb_after_a_stop(tmp_path: Path) -> None:
    with Collector(tmp_path / "data") as collector:
        assert collector.post(body_of(span())).status_code == 200
    assert [row["name"] for row in stored_rows(collector.store)] == ["span 1"]
    assert collector.data_dir.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in collector.data_dir.iterdir()} == {0o600}
