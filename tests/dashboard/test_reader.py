"""How a running collector is asked."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from dashboard import silence
from dashboard.errors import CollectorDown, CollectorSilent, QueryFailed
from dashboard.reader import connect
from schemas.settings import Settings
from tests.collecting import Collector
from tests.dashboard.pages import wait_until_heard


def ports_of_clients(collector: Collector) -> set[int]:
    """Where the connections come from that its HTTP port holds."""
    found = psutil.Process(collector.process.pid).net_connections("tcp")
    return {one.raddr.port for one in found if one.raddr and one.laddr.port == collector.http_port}


def test_questions_share_a_connection(tmp_path: Path) -> None:
    """A new one for each costs the collector as much as a small question."""
    with Collector(tmp_path) as collector:
        reader = connect(Settings(data_dir=tmp_path))
        assert reader.query("select 1 as one").to_pylist() == [{"one": 1}]
        before = ports_of_clients(collector)
        assert len(before) == 1
        for number in range(5):
            assert reader.query("select $number as it", {"number": number}).to_pylist() == [{"it": number}]
        assert ports_of_clients(collector) == before


def test_a_collector_that_began_anew_answers_and_one_that_is_gone_is_told(tmp_path: Path) -> None:
    """Its predecessor took the connection with it: no question is lost to that."""
    first = Collector(tmp_path)
    reader = connect(Settings(data_dir=tmp_path))
    assert reader.query("select 1 as one").num_rows == 1
    first.kill()
    with Collector(tmp_path, grpc_port=first.grpc_port, http_port=first.http_port):
        assert reader.query("select 1 as one").num_rows == 1
    with pytest.raises(CollectorDown):
        reader.query("select 1 as one")


def test_a_collector_that_hangs_is_noticed_within_seconds_and_heard_again(tmp_path: Path) -> None:
    """Long before a question's own time limit. Until it answers nobody waits to find out again."""
    with Collector(tmp_path) as collector:
        reader = connect(Settings(data_dir=tmp_path))
        before_ns = time.time_ns()
        assert reader.query("select 1 as one").num_rows == 1
        answered_ns = time.time_ns()
        collector.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(CollectorSilent, match=f"kill -9 {collector.process.pid}") as told:
                reader.query("select 1 as one")
            assert time.monotonic() - began < 10
            assert before_ns <= told.value.since_ns <= answered_ns
            began = time.monotonic()
            with pytest.raises(CollectorSilent):
                reader.query("select 1 as one")
            assert time.monotonic() - began < 1
        finally:
            collector.process.send_signal(signal.SIGCONT)
        wait_until_heard(collector)
        assert reader.query("select 1 as one").num_rows == 1


def test_a_long_question_is_not_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector lives, so the question has its whole time; then its limit is told as before."""
    asked: list[bool] = []

    def lives(host: str, port: int) -> bool:
        asked.append(alive := heard(host, port))
        return alive

    heard = silence.lives
    monkeypatch.setattr(silence, "lives", lives)
    monkeypatch.setattr(silence, "LOOKS_AFTER_S", 0.2)
    with Collector(tmp_path, sql_timeout_s=2):
        reader = connect(Settings(data_dir=tmp_path, sql_timeout_s=2))
        with pytest.raises(QueryFailed, match="longer than 2 s"):
            reader.query("select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3")
    assert len(asked) > 2
    assert all(asked)
