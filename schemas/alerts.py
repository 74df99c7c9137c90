"""Alerts: section `alerts` of `seamscope.toml`, and the JSON that a webhook receives.

[alerts]
slack = "https://hooks.slack.com/services/…"
objective = 0.95
objectives = { refund_triage = 0.83 }
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializationInfo,
    field_serializer,
    model_validator,
)

from schemas.reports import Number, Part

FORMAT: Literal[1] = 1
"""Goes up when a receiver of the JSON has to change."""
WITH_SECRETS = "with_secrets"
"""Context under which a dump holds secrets: only for the environment of our own child processes."""

Rule = Literal["burn", "storm", "drift"]
Urgency = Literal["page", "ticket"]
Kind = Literal["open", "close"]
Measure = Literal["failed", "amplification", "observed"]


def _is_address(secret: SecretStr) -> SecretStr:
    """The address, once it is one that can be sent to. Complaints never hold it: a Slack address is a password."""
    text = secret.get_secret_value()
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or any(sign <= " " for sign in text):
        raise ValueError("is no http:// or https:// address")
    if url.username is not None or url.password is not None:
        raise ValueError("must hold no user and password; use webhook_token")
    return secret


Address = Annotated[SecretStr, AfterValidator(_is_address)]
Objective = Annotated[float, Field(gt=0, lt=1)]


class AlertSettings(BaseModel):
    """Who is told of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: Address | None = Field(None, description="address that receives each message as JSON")
    webhook_token: SecretStr | None = Field(None, description="bearer token for the webhook")
    slack: Address | None = Field(None, description="address of a Slack incoming webhook, or of what takes its format")
    objective: Objective | None = Field(
        None, description="share of finished runs that must get through, in each workflow; without it no burn is told"
    )
    objectives: dict[str, Objective] = Field({}, description="objectives of single workflows, by name")
    storms: bool = Field(True, description="tell of retry storms")
    drift: bool = Field(True, description="tell when reliability fell to another level")
    environment: str = Field(
        "", description="only runs of this environment; `all` for all; by default all but development"
    )
    open_after: int = Field(2, ge=1, description="evaluations in a row that it takes for an alert to begin")
    close_after: int = Field(5, ge=1, description="evaluations in a row below the lower line that it takes to end")

    @model_validator(mode="after")
    def _has_a_receiver(self) -> Self:
        if self.webhook is None and self.slack is None:
            raise ValueError("needs webhook or slack: nobody would be told")
        return self

    @field_serializer("webhook", "webhook_token", "slack", when_used="json-unless-none")
    def _secret(self, secret: SecretStr, info: SerializationInfo) -> str:
        return secret.get_secret_value() if info.context == WITH_SECRETS else str(secret)

    def objective_of(self, workflow: str) -> float | None:
        """The objective of a workflow; None: it has none."""
        return self.objectives.get(workflow, self.objective)


class Alert(Part):
    """One message: that something began, or that it ended. This is what a webhook receives."""

    format: Literal[1] = FORMAT
    """Goes up when a receiver has to change."""
    id: str
    """Of this message. One that is sent again, because an answer was lost, has the same: take the first."""
    episode: str
    """The same in the two messages of an episode."""
    kind: Kind
    """It began, or it is over."""
    rule: Rule
    """What found it."""
    urgency: Urgency
    """Wake somebody, or look at it in the morning."""
    workflow: str
    """Its name, as it came."""
    step: str | None
    """Where it happens most; null: it is the whole workflow."""
    also: tuple[str, ...]
    """What else is affected: of a storm the other steps, models, tools and providers."""
    environment: str | None
    """The one that alerts are about; null: all."""
    text: str
    """The message in one line, names from spans shortened and not escaped."""
    measure: Measure
    """What the value is: the share of finished runs that failed or fell silent, attempts an operation, or the share of
    finished runs that got through."""
    value: Number
    """What was found; in the second message of burn how it is now, else what was found in the first."""
    low: Number | None
    """Of a 95 % band; null where there is none."""
    high: Number | None
    """Of the same band."""
    limit: Number
    """The line that it crossed; of drift the level before."""
    n: int
    """Runs (of amplification: operations) that the value rests on."""
    since: AwareDatetime
    """When it began, as far as can be told."""
    at: AwareDatetime
    """When it was decided."""
    link: str
    """The page of the dashboard, with the window that shows it."""
