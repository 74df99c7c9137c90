"""What the dashboard must never do with text from spans, and how it is served."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from dashboard.launch import streamlit_argv
from schemas.settings import Settings

DASHBOARD = Path(str(files("dashboard")))
SOURCES = sorted(DASHBOARD.rglob("*.py"))
SCRIPTS = sorted(DASHBOARD.rglob("*.js"))
FORBIDDEN_CALLS = {"html", "table", "write_stream", "components.html", "chat_message", "toast"}
FORBIDDEN_WORDS = {"unsafe_allow_html", "unsafe_allow_javascript"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_element_that_renders_mark_up_unasked(path: Path) -> None:
    """st.html, st.table and the unsafe flags are out; Markdown gets span text through `safe` only (see the browser
    test)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert not (ast.unparse(node.func.value) == "st" and node.func.attr in FORBIDDEN_CALLS), ast.unparse(node)
        if isinstance(node, ast.keyword):
            assert node.arg not in FORBIDDEN_WORDS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_components_set_text_only(path: Path) -> None:
    """A component that parsed HTML, ran code or fetched would undo what the pages take care of."""
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|import\(",
        path.read_text("utf-8"),
    )


def test_documents_are_shown_in_a_sandbox_only() -> None:
    """One component sets a document, into a frame whose sandbox allows nothing and is set before it."""
    using = {path.name: path.read_text("utf-8") for path in SCRIPTS if "srcdoc" in path.read_text("utf-8")}
    assert list(using) == ["document.js"]
    text = using["document.js"]
    assert 0 < text.index('sandbox: ""') < text.index("srcdoc")
    assert text.count("iframe") == 1


def test_the_server_is_private_and_quiet() -> None:
    """Loopback, known hosts, no calls home, no error details, no file watching."""
    conf = tomllib.loads((DASHBOARD / ".streamlit" / "config.toml").read_text("utf-8"))
    assert conf["server"]["address"] == "127.0.0.1"
    assert conf["server"]["allowedHosts"] == ["127.0.0.1", "localhost"]
    assert conf["server"]["fileWatcherType"] == "none"
    assert conf["browser"]["gatherUsageStats"] is False
    assert conf["client"]["showErrorDetails"] == "none"
    assert conf["client"]["showErrorLinks"] is False
    assert conf["client"]["toolbarMode"] in ("viewer", "minimal")
    assert conf["client"]["disableDataExport"] is True


def test_the_command_binds_what_the_settings_say() -> None:
    """Loopback keeps the host list, a proxy's name added; a bind beyond it cannot know its names."""
    argv = streamlit_argv(Settings(ui_port=8601))
    assert argv[1:4] == ["-m", "dashboard.serve", "run"]
    assert argv[argv.index("--server.port") + 1] == "8601"
    assert argv[argv.index("--server.address") + 1] == "127.0.0.1"
    assert "--server.allowedHosts" not in argv
    behind_proxy = streamlit_argv(Settings(public_url="https://seamscope.example.com/x"))
    allowed = [behind_proxy[at + 1] for at, flag in enumerate(behind_proxy) if flag == "--server.allowedHosts"]
    assert allowed == ["127.0.0.1", "localhost", "seamscope.example.com"]
    assert "*" in streamlit_argv(Settings(ui_host="0.0.0.0", insecure=True))


def test_the_server_ends_without_a_word() -> None:
    """What it keeps from collection is given back at its end: else DuckDB's binding writes forty lines."""
    code = "from dashboard.serve import get_ready; get_ready()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
