"""From where on retries are a storm: section `storms` of `seamscope.toml`.

[storms]
least_operations = 50
"""

from pydantic import BaseModel, ConfigDict, Field


class StormSettings(BaseModel):
    """When attempts outrun operations. The defaults are the ones that were measured (docs/accuracy.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    amplification: float = Field(default=2.0, gt=1, description="attempts an operation that make it a storm …")
    share_of_retries: float = Field(
        default=0.75, gt=0, le=1, description="… or this share of the retries allowed, where those are too few for that"
    )
    look: float = Field(default=1.3, gt=1, description="attempts an operation worth a look")
    window_minutes: int = Field(default=10, ge=5, le=60, multiple_of=5, description="what is judged at a time …")
    reach_minutes: int = Field(
        default=30, ge=5, le=120, multiple_of=5, description="… and how far back it may reach for enough operations"
    )
    least_operations: int = Field(default=20, ge=1, description="fewer are too few to tell")
    retry_budget: float = Field(default=0.2, gt=0, description="retries an operation that are no worry")
    in_run_attempts: int = Field(default=5, ge=2, description="attempts of one operation in one run: a storm, …")
    in_run_seconds: float = Field(default=60.0, gt=0, description="… when within this time")
