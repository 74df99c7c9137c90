"""How long runs are kept: section `retention` of `seamscope.toml`.

[retention]
days = 30
max_gib = 5
"""

from pydantic import BaseModel, ConfigDict, Field


class RetentionSettings(BaseModel):
    """How long runs are kept, and how large the store may grow; 0 turns a limit off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: float = Field(
        default=90.0, ge=0, allow_inf_nan=False, description="a run goes when nothing came for it this long"
    )
    max_gib: float = Field(
        default=20.0,
        ge=0,
        allow_inf_nan=False,
        description="the oldest runs go when what the store holds is larger; those of the last hour never do",
    )
    rollup_days: float = Field(
        default=400.0,
        ge=0,
        allow_inf_nan=False,
        description="counts of removed runs stay in charts this long; markers too",
    )
