"""How a running collector is asked."""

from pathlib import Path

import psutil
import pytest

from dashboard.errors import CollectorDown
from dashboard.reader import connect
from schemas.settings import Settings
from tests.collecting import Collector


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
