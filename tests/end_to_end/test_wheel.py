"""The wheel: holds what it needs and nothing else, and works where there is no checkout."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from schemas import ddl
from tests.dashboard.cli import ANY_PORTS, RECORDINGS

ROOT = Path(__file__).parents[2]
PACKAGES = {"schemas", "collector", "dashboard", "demo_data"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy of what git tracks or would."""
    source = tmp_path_factory.mktemp("source")
    wanted = [*PACKAGES, "pyproject.toml", "README.md", "LICENSE"]
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *wanted]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "build",
        "--quiet",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out),
    ]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment with the wheel; its dependencies are those the tests run on."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    (site_packages,) = home.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [
        home / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--force-reinstall",
        wheel,
    ]
    subprocess.run(pip, check=True, capture_output=True)
    return home / "bin"


@pytest.mark.slow
def test_the_wheel_holds_our_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    assert folders - PACKAGES == {next(f for f in folders if f.endswith(".dist-info"))}
    expected = {f"schemas/sql/{statement.name}" for statement in (*ddl.tables(), *ddl.views(), *ddl.macros())}
    expected |= {"dashboard/.streamlit/config.toml", "schemas/py.typed"}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in {".sql", ".js", ".css", ".html", ".svg", ".toml"}:
                expected.add(str(path.relative_to(ROOT)))
    assert expected <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".duckdb"))]


@pytest.mark.slow
def test_an_installed_wheel_takes_in_a_recording_and_answers(installed: Path, tmp_path: Path) -> None:
    def seamscope(*arguments: str | Path) -> str:
        command = [installed / "seamscope", *arguments, "--data", tmp_path / "data"]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120).stdout

    where = [installed / "python", "-c", "import dashboard, collector; print(dashboard.__file__, collector.__file__)"]
    imported = subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert str(ROOT) not in imported.replace(str(installed.parent), "")
    assert "spans taken" in seamscope("ingest", RECORDINGS / "client-anthropic-genai-good")
    assert '"n":1' in seamscope("sql", "select count(*) as n from run", "--format", "json")
    assert "nothing is wrong" in seamscope("doctor", *ANY_PORTS, "--ui-port", "0")


@pytest.mark.slow
def test_an_installed_wheel_serves_the_dashboard(installed: Path, tmp_path: Path) -> None:
    from tests.dashboard.cli import SEAMSCOPE, running, wait_for_text

    SEAMSCOPE[:], former = [str(installed / "seamscope")], list(SEAMSCOPE)
    try:
        log = tmp_path / "log"
        with running("up", "--data", tmp_path / "data", *ANY_PORTS, "--ui-port", "0", log=log) as process:
            wait_for_text(log, "Ctrl-C stops everything", process)
        assert process.returncode == 0, log.read_text()
    finally:
        SEAMSCOPE[:] = former
