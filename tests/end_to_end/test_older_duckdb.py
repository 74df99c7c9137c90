"""A store is an ordinary DuckDB file: the versions we promise open it after a stop."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from collector.store import Store
from schemas.settings import Settings
from tests.collector.stored import batch_of
from tests.otlp import recorded_spans

ASK = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
spans, kind = connection.execute(
    "select count(*), any_value(attributes->>'openinference.span.kind') from span where name = 'ChatOpenAI'"
).fetchone()
print(json.dumps([duckdb.__version__, spans, kind]))
"""


def asked(python: Path | str, store: Path) -> list[object]:
    done = subprocess.run([python, "-c", ASK, store], capture_output=True, text=True, check=True)
    answer: list[object] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_a_plain_duckdb_of_either_version_opens_the_file_after_a_stop(tmp_path: Path) -> None:
    store = Store.open(Settings(data_dir=tmp_path / "data", min_free_disk_mib=0))
    store.write(batch_of(recorded_spans("langgraph-openinference-good")))
    store.close()
    older = tmp_path / "older"
    venv.create(older, with_pip=True)
    pip = [older / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "duckdb==1.5.5"], check=True)
    assert asked(sys.executable, store.path) == ["2.0.0", 8, "LLM"]
    assert asked(older / "bin" / "python", store.path) == ["1.5.5", 8, "LLM"]
