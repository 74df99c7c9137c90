"""Files that hold what agents said."""

import contextlib
import os
import stat
from pathlib import Path

import pytest

from dashboard.errors import OutputRefused
from dashboard.files_out import new_file


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with new_file(tmp_path / "x.csv", replace=False) as out:
            out.write(b"1")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "x.csv").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


def test_a_file_that_exists_is_replaced_only_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(OutputRefused, match="--force"), new_file(path, replace=False):
        pass
    with new_file(path, replace=True) as out:
        out.write(b"new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("replace", [True, False])
def test_a_symbolic_link_is_never_followed(tmp_path: Path, replace: bool) -> None:
    (tmp_path / "x.csv").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("old")
    with pytest.raises(OutputRefused, match="symbolic link"), new_file(tmp_path / "x.csv", replace=replace):
        pass
    assert (tmp_path / "precious").read_text() == "old"


def test_a_broken_write_leaves_nothing(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), new_file(tmp_path / "x.csv", replace=False) as out:
        out.write(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputRefused, match="no folder"), new_file(tmp_path / "no" / "x.csv", replace=False):
        pass
