"""Rows for the store's own tests: real recorded spans with a plain meaning, so that no dialect is needed."""

from collections import Counter
from collections.abc import Iterable

from collector.batch import Batch
from collector.rows import Row, resource_row, scope_row, span_row
from schemas.records import Normalised, Span

PLAIN = Normalised(*(None for _ in Normalised._fields))._replace(
    dialect="generic", step_kind="chain", step_name="step", tokens_are_sum=False, failed=False, interrupted=False,
    collateral=False, gaps=(),
)  # fmt: skip


def row_of(span: Span, **meaning: object) -> Row:
    """The row of a span whose dialect said only what `meaning` holds."""
    return span_row(span, PLAIN._replace(**meaning))


def batch_of(spans: Iterable[Span], *, rejected: Counter[str] | None = None, **meaning: object) -> Batch:
    """One commit that holds these spans."""
    spans = list(spans)
    return Batch(
        rows=[row_of(span, **meaning) for span in spans],
        resources={s.resource.resource_id: resource_row(s.resource) for s in spans},
        scopes={s.scope.scope_id: scope_row(s.scope) for s in spans},
        rejected=rejected or Counter(),
        refused=Counter(),
        requests=1,
        body_bytes=100,
    )
