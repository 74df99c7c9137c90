"""Views of the dashboard that were saved under a name."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME_CHARS: Final = 80
MOST_VIEWS: Final = 200
MOST_VALUES: Final = 200

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_CHARS)]
Value = Annotated[str, StringConstraints(max_length=2_000)]
Parameter = Annotated[str, StringConstraints(pattern="^[a-z_]+$")]
Values = Annotated[tuple[Value, ...], Field(max_length=MOST_VALUES)]


class SavedView(BaseModel):
    """A page with the parameters of its URL. A window stays relative, an exact range stays what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    page: Annotated[str, StringConstraints(pattern="^[a-z]*$")]
    """Path of the page; '' for the overview."""
    params: dict[Parameter, Values]


class SavedViews(BaseModel):
    """All of them, as the file holds them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    views: Annotated[tuple[SavedView, ...], Field(max_length=MOST_VIEWS)] = ()
