"""Keeps saved views in the data folder, for all who use this dashboard. The store itself stays read-only here."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from dashboard.errors import DashboardError, OutputRefused
from dashboard.files_out import new_file
from schemas.paths import views_path
from schemas.views import MOST_VIEWS, NAME_CHARS, SavedView, SavedViews

VERSION: Final = 1


class ViewsRefused(DashboardError):
    """A change that cannot be. Says what is wrong and what to do."""


@dataclass(frozen=True)
class Kept:
    """What the file holds."""

    views: tuple[SavedView, ...]
    problem: str | None = None
    """Why there is nothing of it; it is never written over then."""


def load(data_dir: Path) -> Kept:
    """The saved views, by name. A file that is none is left where it is until something is saved."""
    path = views_path(data_dir)
    try:
        return Kept(tuple(sorted(_read(path).views, key=lambda view: view.name.casefold())))
    except FileNotFoundError:
        return Kept(())
    except OSError as exc:
        return Kept((), f"{path} cannot be read ({exc.strerror}): give this dashboard's user the right to.")
    except _Newer as exc:
        return Kept((), f"{path} is of a newer Seamscope (version {exc.version}): use that one, or move the file away.")
    except ValueError:
        return Kept((), f"{path} is damaged. Mend it; the next view that is saved moves it aside and starts anew.")


def save(
    data_dir: Path, name: str, page: str, params: Mapping[str, Sequence[str]], *, replace: bool = False
) -> Path | None:
    """Keeps a view under a name. -> Where a damaged file was moved to.

    Args:
        replace: whether it may take the place of one that bears the name.

    Raises:
        ViewsRefused: the name is taken or none, or the folder does not allow it.
    """
    try:
        view = SavedView(name=name, page=page, params={key: tuple(values) for key, values in params.items()})
    except ValidationError as exc:
        raise ViewsRefused(f"a name has 1 to {NAME_CHARS} characters, and a link is not endless") from exc
    with _alone(data_dir):
        aside = _move_aside(views_path(data_dir))
        kept = load(data_dir)
        others = [each for each in kept.views if each.name != view.name]
        if len(others) < len(kept.views) and not replace:
            raise ViewsRefused(f"there is a view {view.name} already: choose another name, or tick that it be replaced")
        if len(others) >= MOST_VIEWS:
            raise ViewsRefused(f"there are {MOST_VIEWS} views: delete one first")
        _write(data_dir, kept, [*others, view])
    return aside


def rename(data_dir: Path, name: str, new: str) -> None:
    """Gives a view another name, which none may bear.

    Raises:
        ViewsRefused: there is none, the name is taken or none, or the folder does not allow it.
    """
    with _alone(data_dir):
        kept = load(data_dir)
        view = next((each for each in kept.views if each.name == name), None)
        if view is None:
            raise ViewsRefused(f"there is no view {name}: somebody may have deleted it")
        try:
            renamed = SavedView(name=new, page=view.page, params=view.params)
        except ValidationError as exc:
            raise ViewsRefused(f"a name has 1 to {NAME_CHARS} characters") from exc
        if renamed.name != name and any(each.name == renamed.name for each in kept.views):
            raise ViewsRefused(f"there is a view {renamed.name} already: choose another name")
        _write(data_dir, kept, [renamed if each is view else each for each in kept.views])


def delete(data_dir: Path, name: str) -> None:
    """Forgets a view; one that is gone already is no error.

    Raises:
        ViewsRefused: the folder does not allow it.
    """
    with _alone(data_dir):
        kept = load(data_dir)
        _write(data_dir, kept, [each for each in kept.views if each.name != name])


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Holds every other change off from reading to writing, of this dashboard and of any other on the folder.

    The folder itself is locked, which leaves no file behind; the system frees it when a process dies.
    """
    try:
        folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as exc:
        raise _refused(views_path(data_dir), exc) from exc
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError as exc:
            raise _refused(views_path(data_dir), exc) from exc
        yield
    finally:
        os.close(folder)


class _Newer(Exception):
    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def _read(path: Path) -> SavedViews:
    content = json.loads(path.read_bytes())
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise _Newer(version)
    return SavedViews.model_validate_json(json.dumps(content))


def _move_aside(path: Path) -> Path | None:
    """Renames a damaged file, so that nothing of it is lost. -> Its new name."""
    try:
        _read(path)
    except (OSError, _Newer):
        return None
    except ValueError:
        aside = path.with_name(f"{path.stem}.damaged-{time.time_ns()}{path.suffix}")
        try:
            path.rename(aside)
        except OSError as exc:
            raise _refused(path, exc) from exc
        return aside
    return None


def _write(data_dir: Path, kept: Kept, views: Sequence[SavedView]) -> None:
    if kept.problem:
        raise ViewsRefused(kept.problem)
    path, text = views_path(data_dir), SavedViews(views=tuple(views)).model_dump_json(indent=2)
    try:
        with new_file(path, replace=True) as out:
            out.write(text.encode())
    except (OSError, OutputRefused) as exc:
        raise _refused(path, exc) from exc


def _refused(path: Path, exc: Exception) -> ViewsRefused:
    reason = exc.strerror if isinstance(exc, OSError) else str(exc)
    return ViewsRefused(f"{path.parent} cannot be written ({reason}): views are kept there; links work all the same")
