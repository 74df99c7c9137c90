"""Drives dashboard pages through AppTest."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import silence
from dashboard.errors import DashboardError
from dashboard.reader import FileReader
from schemas.paths import store_path
from tests.collecting import Collector

APP = Path(dashboard.__file__).parent / "app.py"
config.set_option("runner.magicEnabled", False)  # as in the dashboard's own config.toml, which AppTest does not read
PAGES = ("overview", "steps", "failures", "retries", "drift", "runs", "run", "connect", "reports")


_unchanging: list[Path] = []
"""The folder whose answers the caches hold from test to test, as they do from session to session."""


@cache
def _component_manager() -> BidiComponentManager:
    """One for all sessions, as a server has: it looks through every installed package."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


class App(AppTest):
    """The dashboard in one session. While a run lasts the store stays open: most of a question would be opening it."""

    def __init__(self) -> None:
        super().__init__(APP, default_timeout=180)
        self._bidi_component_manager = _component_manager()

    def _run(self, *args: Any, **kwargs: Any) -> AppTest:
        with ExitStack() as stack:
            with suppress(DashboardError):  # none, another's, or of another version: the page finds out itself
                stack.enter_context(FileReader(store_path(Path(os.environ["SEAMSCOPE_DATA_DIR"]))).held())
            return super()._run(*args, **kwargs)


@contextmanager
def data_dir(folder: Path, *, unchanging: bool = False) -> Iterator[None]:
    """Makes pages read the store of a folder; the answers of one that never changes are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAMSCOPE_DATA_DIR", str(folder))
        if _unchanging != [folder]:
            st.cache_data.clear()
            st.cache_resource.clear()
        _unchanging[:] = [folder] if unchanging else []
        yield


def open_page(page: str, /, **params: str | list[str]) -> AppTest:
    """A page as a link opens it in a fresh browser."""
    app = App()
    if page != "overview":  # the default page; the others are found by their file before a first run
        app.switch_page(f"views/{page}.py")
    for name, value in params.items():
        app.query_params[name.rstrip("_")] = value
    return app.run()


def component(app: AppTest, key: str) -> Any:
    """What a browser component was given."""
    for element in app.get("bidi_component"):
        if element.proto.id.endswith(f"-{key}"):
            return json.loads(element.proto.json)
    raise KeyError(f"no component {key}; there are {[element.proto.id for element in app.get('bidi_component')]}")


def warnings(app: AppTest) -> list[str]:
    """What a page warns of; that no collector runs here, which the sidebar says of every page, apart."""
    return [warning.value for warning in app.warning if warning.icon != ":material/cloud_off:"]


def words(app: AppTest) -> str:
    """All text of a page that Markdown renders."""
    parts = (*app.markdown, *app.caption, *app.subheader, *app.warning, *app.error)
    return "\n".join(element.value for element in parts)


def healthy(app: AppTest) -> bool:
    """No exception, and none that was caught."""
    return not app.exception and not app.error


def wait_until_heard(collector: Collector) -> None:
    """Until the dashboard has noticed that a silent collector answers again."""
    until = time.monotonic() + 20
    while silence.is_known("127.0.0.1", collector.http_port):
        assert time.monotonic() < until
        time.sleep(0.05)
