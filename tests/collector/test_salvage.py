"""A collector starts on a damaged log or file, keeps what was damaged, and says so (TESTS.md, F6 and F7)."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from collector.salvage import whole_bytes
from tests.collecting import Collector
from tests.collector.requests import body_of, span

BATCHES = 20


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose store holds half of its spans in the file and half in a log that was not folded."""
    data = tmp_path_factory.mktemp("template") / "data"
    for batches, is_killed in ((range(BATCHES), False), (range(BATCHES, 2 * BATCHES), True)):
        with Collector(data) as c:
            for seed in batches:
                assert c.post(body_of(span(seed + 1))).status_code == 200
            if is_killed:
                c.kill()
    return data


@pytest.fixture
def killed(template: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return Path(shutil.copytree(template, tmp_path / "data"))


def main_file(data: Path) -> Path:
    return data / "seamscope.duckdb"


def wal(data: Path) -> Path:
    return data / "seamscope.duckdb.wal"


def flip(file: Path, at: int, length: int = 1) -> None:
    whole = bytearray(file.read_bytes())
    whole[at : at + length] = bytes(byte ^ 0x55 for byte in whole[at : at + length])
    file.write_bytes(whole)


def set_aside(data: Path) -> list[str]:
    return sorted(file.name.split("-")[0] for file in data.glob("*.corrupt-*"))


def spans(c: Collector) -> int:
    return int(c.sql("select count(*) as spans from span")[0]["spans"])


@pytest.mark.parametrize("cut", [1, 5_000])
def test_a_torn_end_of_the_log_costs_what_is_torn_off_and_is_told(cut: int, killed: Path) -> None:
    os.truncate(wal(killed), wal(killed).stat().st_size - cut)
    with Collector(killed) as c:
        assert BATCHES <= spans(c) <= 2 * BATCHES
        assert c.post(body_of(span(99))).status_code == 200
        (damage,) = c.health()["damage"]
        assert "no whole entry" in damage["what"]
    assert set_aside(killed) == ["seamscope.duckdb.wal.corrupt"]


@pytest.mark.parametrize("junk", [b"\0" * 100, bytes(range(1, 256))])
def test_junk_behind_the_log_costs_nothing(junk: bytes, killed: Path) -> None:
    with wal(killed).open("ab") as file:
        file.write(junk)
    with Collector(killed) as c:
        assert spans(c) == 2 * BATCHES


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_flipped_byte_in_the_log_costs_what_comes_after_it(share: float, killed: Path) -> None:
    """DuckDB alone would refuse the store for ever; what stands before the byte is kept."""
    flip(wal(killed), int(wal(killed).stat().st_size * share))
    with Collector(killed) as c:
        assert BATCHES < spans(c) < 2 * BATCHES or share < 0.5
        assert spans(c) >= BATCHES
        assert c.health()["damage"]
        assert any("set aside as" in line for line in c.log)
    assert set_aside(killed) == ["seamscope.duckdb.wal.corrupt"]
    with Collector(killed) as c:
        assert len(c.sql("select * from damage")) == 1


@pytest.mark.parametrize("at", [0, 2, 39])
def test_a_flipped_byte_where_the_log_begins_is_never_passed_over_in_silence(at: int, killed: Path) -> None:
    """DuckDB alone opens some of these as if there were no log."""
    flip(wal(killed), at)
    with Collector(killed) as c:
        assert spans(c) >= BATCHES
        assert c.health()["damage"]
    assert {*set_aside(killed)} == {"seamscope.duckdb.wal.corrupt"}


def test_the_log_of_another_store_is_set_aside(killed: Path, tmp_path: Path) -> None:
    with Collector(tmp_path / "other") as c:
        c.post(body_of(span(7)))
        c.kill()
    wal(killed).write_bytes(wal(tmp_path / "other").read_bytes())
    with Collector(killed) as c:
        assert spans(c) == BATCHES
        assert "cannot be read" in c.health()["damage"][0]["what"]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda file: flip(file, 0, 64),
        lambda file: flip(file, 12_300, 64),
        lambda file: os.truncate(file, 5_000),
        lambda file: os.truncate(file, 0),
        lambda file: file.write_bytes(b"no database at all " * 1_000),
    ],
    ids=["first bytes", "a block", "cut", "empty", "something else"],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_a_new_one_begun(
    break_it: Callable[[Path], None], killed: Path
) -> None:
    break_it(main_file(killed))
    with Collector(killed) as c:
        assert spans(c) == 0
        assert c.post(body_of(span(99))).status_code == 200
        (damage,) = c.health()["damage"]
        assert "a new store was begun" in damage["lost"]
    assert set_aside(killed) == ["seamscope.duckdb.corrupt", "seamscope.duckdb.wal.corrupt"]


def test_a_whole_log_is_known_to_be_whole(killed: Path) -> None:
    """Else every start after a kill would copy it and raise an alarm."""
    assert whole_bytes(wal(killed)) == wal(killed).stat().st_size
    with Collector(killed) as c:
        assert spans(c) == 2 * BATCHES
        assert c.health()["damage"] == []
    assert set_aside(killed) == []


def test_duckdb_still_opens_a_log_without_its_beginning_in_silence(tmp_path: Path) -> None:
    """The day it says so, our own look at the log can go."""
    path = tmp_path / "x.duckdb"
    connection = duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"})
    connection.execute("create table t (i integer)")
    connection.execute("checkpoint")
    connection.execute("insert into t values (1)")
    log, file = Path(f"{path}.wal").read_bytes(), path.read_bytes()
    connection.close()
    path.write_bytes(file)
    Path(f"{path}.wal").write_bytes(b"\0" + log[1:])
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as again:
        assert again.execute("select count(*) from t").fetchall() == [(0,)]
