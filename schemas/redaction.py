"""What never gets stored: section `redaction` of `seamscope.toml`.

[redaction]
mask_keys = ["user.email", "*.password"]
built_in = ["api_key", "bearer", "jwt"]

[redaction.patterns]
ticket = "TICKET-[0-9]+"
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

BuiltIn = Literal["api_key", "bearer", "jwt", "email", "card"]
BUILT_IN: Final[tuple[BuiltIn, ...]] = get_args(BuiltIn)

KEYS: Final = "keys"
CONTENT: Final = "content"
"""Rules that are no patterns, as they are counted."""

RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Glob = Annotated[str, Field(min_length=1, max_length=200)]


class RedactionSettings(BaseModel):
    """What is taken out before anything is written. Nothing is, unless it is said here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop_keys: tuple[Glob, ...] = Field(
        default=(), description="attributes to leave out, by name; `*` stands for anything, case does not matter"
    )
    mask_keys: tuple[Glob, ...] = Field(default=(), description="attributes whose value becomes `[redacted]`")
    patterns: dict[RuleName, str] = Field(
        default={}, description="name = regular expression (RE2); what it matches in any text becomes `[redacted]`"
    )
    built_in: tuple[BuiltIn, ...] = Field(
        default=(), description=f"patterns of ours that apply too: {', '.join(f'`{name}`' for name in BUILT_IN)}"
    )
    drop_content: bool = Field(
        default=False,
        description="inputs, outputs, prompts, messages and arguments become `[not kept: 120 bytes]`; figures stay",
    )
