"""Views saved under a name: kept whole, shared, and never lost without a word."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from dashboard import saved_views
from dashboard.saved_views import ViewsRefused
from schemas.paths import views_path
from schemas.views import MOST_VIEWS
from tests.dashboard.pages import component, healthy, open_page, words

WEEK = {"window": ["7d"], "state": ["failed", "silent"]}


def names(folder: Path) -> list[str]:
    return [view.name for view in saved_views.load(folder).views]


def test_a_view_keeps_its_page_and_every_value(tmp_path: Path) -> None:
    """What was saved is read back, by name, whatever the order it came in."""
    saved_views.save(tmp_path, " zebra ", "runs", WEEK)
    saved_views.save(tmp_path, "Ape", "", {})
    ape, zebra = saved_views.load(tmp_path).views
    assert (ape.name, ape.page) == ("Ape", "")
    assert zebra.name == "zebra"
    assert {key: list(values) for key, values in zebra.params.items()} == WEEK


def test_a_name_that_is_taken_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    """Somebody else's view is not overwritten by chance."""
    saved_views.save(tmp_path, "storm", "retries", {})
    with pytest.raises(ViewsRefused, match="storm already"):
        saved_views.save(tmp_path, "storm", "drift", {})
    saved_views.save(tmp_path, "storm", "drift", {}, replace=True)
    assert [(view.name, view.page) for view in saved_views.load(tmp_path).views] == [("storm", "drift")]


def test_renaming_and_deleting_touch_one_view(tmp_path: Path) -> None:
    """The others stay as they were; a name that is taken or empty is refused."""
    for name in ("a", "b", "c"):
        saved_views.save(tmp_path, name, "runs", WEEK)
    saved_views.rename(tmp_path, "a", "z")
    saved_views.delete(tmp_path, "b")
    saved_views.delete(tmp_path, "b")
    assert names(tmp_path) == ["c", "z"]
    for old, new in (("c", "z"), ("c", " "), ("gone", "x")):
        with pytest.raises(ViewsRefused):
            saved_views.rename(tmp_path, old, new)
    assert names(tmp_path) == ["c", "z"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 1, "views": [{"name": ""}]}', b"\xff\xfe", b""])
def test_a_damaged_file_is_said_and_moved_aside_whole(tmp_path: Path, content: bytes) -> None:
    """Reading leaves it alone; the next save keeps every byte of it under another name."""
    path = views_path(tmp_path)
    path.write_bytes(content)
    kept = saved_views.load(tmp_path)
    assert kept.views == ()
    assert "damaged" in str(kept.problem)
    with pytest.raises(ViewsRefused):
        saved_views.delete(tmp_path, "x")
    assert path.read_bytes() == content
    aside = saved_views.save(tmp_path, "new", "runs", {})
    assert aside is not None
    assert aside.read_bytes() == content
    assert names(tmp_path) == ["new"]


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """It is no damage: nothing is written over it."""
    path = views_path(tmp_path)
    path.write_text(json.dumps({"version": 2, "views": [], "folders": []}))
    assert "newer" in str(saved_views.load(tmp_path).problem)
    with pytest.raises(ViewsRefused, match="newer"):
        saved_views.save(tmp_path, "x", "runs", {})
    assert json.loads(path.read_text())["version"] == 2


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only data folder: what is wrong, and that links work all the same. Nothing is left behind."""

    def denied(*_: object, **__: object) -> int:
        raise PermissionError(30, "Read-only file system")

    saved_views.save(tmp_path, "old", "runs", {})
    monkeypatch.setattr("dashboard.files_out.os.open", denied)
    with pytest.raises(ViewsRefused, match=r"Read-only file system.*links work"):
        saved_views.save(tmp_path, "new", "runs", {})
    assert names(tmp_path) == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == [views_path(tmp_path).name]


def test_there_is_an_end_to_their_number(tmp_path: Path) -> None:
    """The file cannot grow without bound; replacing goes on."""
    views = [{"name": f"v{number}", "page": "runs", "params": {}} for number in range(MOST_VIEWS)]
    views_path(tmp_path).write_text(json.dumps({"version": 1, "views": views}))
    with pytest.raises(ViewsRefused, match="delete one"):
        saved_views.save(tmp_path, "more", "runs", {})
    saved_views.save(tmp_path, "v7", "drift", {}, replace=True)
    assert len(names(tmp_path)) == MOST_VIEWS


def test_two_dashboards_that_save_at_once_lose_no_view(tmp_path: Path) -> None:
    """Two processes, each saving one view after the other: all of both are there."""
    each = 30
    program = (
        "import sys; from pathlib import Path; from dashboard import saved_views\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        f"for number in range({each}): saved_views.save(Path(sys.argv[1]), f'{{sys.argv[2]}}{{number}}', 'runs', {{}})"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), letter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    ]
    with writers[0], writers[1]:
        for writer in writers:  # both have started before either saves
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin
            writer.stdin.write("go\n")
            writer.stdin.flush()
        assert [writer.wait(60) for writer in writers] == [0, 0]
    assert set(names(tmp_path)) == {f"{letter}{number}" for letter in "ab" for number in range(each)}


def test_the_sidebar_saves_opens_renames_and_deletes(lively: Path) -> None:
    """A name and a click keep the page with its parameters; a window that is relative stays so."""
    app = open_page("runs", state=["failed", "silent"], layer="tool")
    app.text_input(key="views_name").set_value("*lost* to tools")
    button(app, "Save").click().run()
    assert healthy(app)
    (view,) = component(app, "views")
    assert view["name"] == "*lost* to tools"
    assert view["page"] == "runs"
    assert view["params"] == {"state": ["failed", "silent"], "layer": ["tool"], "window": ["1h"]}
    assert "saved “\\*lost\\* to tools”" in words(app)
    app.text_input(key="views_new_name").set_value("tools")
    button(app, "Rename").click().run()
    assert [each["name"] for each in component(app, "views")] == ["tools"]
    button(app, "Delete").click().run()
    assert names(lively.parent) == []


def test_an_exact_range_is_kept_as_it_is(lively: Path) -> None:
    """What a mark led to stays that stretch of time."""
    exact = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-01T01:00:00Z"}
    app = open_page("failures", from_=exact["from"], to=exact["to"])
    app.text_input(key="views_name").set_value("that hour")
    button(app, "Save").click().run()
    (view,) = component(app, "views")
    assert view["params"] == {key: [value] for key, value in exact.items()}
    saved_views.delete(lively.parent, "that hour")


def test_a_damaged_file_is_said_in_the_sidebar(lively: Path) -> None:
    """The page works; the message names the file."""
    views_path(lively.parent).write_bytes(b"{")
    app = open_page("connect")
    assert healthy(app)
    assert any("views\\.json" in warning.value for warning in app.warning)
    views_path(lively.parent).unlink()


def button(app: AppTest, label: str) -> Button:
    """A button by what it says."""
    return next(each for each in app.button if each.label == label)
