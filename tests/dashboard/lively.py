"""Rows of a lively store: runs of three workflows that end in every way, and what was received with them."""

import json
from dataclasses import dataclass
from typing import Any

from tests.dashboard.filling import MINUTE, Filling, Ids, Row, S


@dataclass(frozen=True)
class Stage:
    """One depth-1 step of a made-up workflow, and what runs inside it."""

    name: str
    inner: tuple[tuple[str, str], ...] = ()
    """(kind, name) of the steps below."""


WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "refund_triage": (
        Stage("intake", (("llm", "gpt-4.1"),)),
        Stage("retrieval", (("retrieval", "policy_index"),)),
        Stage("tool_call", (("tool", "ledger.query"), ("tool", "orders.lookup"))),
        Stage("synthesis", (("llm", "gpt-4.1"),)),
        Stage("verification", (("llm", "gpt-4.1-mini"),)),
        Stage("delivery"),
    ),
    "lead_enrich": (
        Stage("Webhook"),
        Stage("Clearbit", (("tool", "http.request"),)),
        Stage("Score lead", (("llm", "claude-haiku-4-5"),)),
        Stage("Append row", (("tool", "sheets.append"),)),
    ),
    "incident_brief": (
        Stage("Researcher", (("llm", "gpt-4.1"), ("tool", "search_logs"))),
        Stage("Analyst", (("llm", "gpt-4.1"),)),
        Stage("Writer", (("llm", "gpt-4.1"), ("handoff", "Delegate work to coworker"))),
    ),
}


def lively_runs(now_ns: int, runs: int = 240, seed: int = 7, text: str = "") -> Filling:
    """Runs of three workflows over the last two hours, with failures, a silent one, retries, pending and open ones.

    Args:
        text: hostile text that goes into every free-text field.
    """
    fill, ids = Filling(), Ids(seed)
    for key, (service, dialect) in enumerate(
        (("billing-agents", "openinference"), ("n8n", "n8n"), ("crew", "openllmetry")), 1
    ):
        fill.add("resource", resource_id=key, attributes=json.dumps({"service.name": service + text, "note": text}))
        fill.add("scope", scope_id=key, name=f"{dialect}.instrumentation{text}", version="0.1.80", attributes="{}")
    for number in range(runs):
        start = now_ns - int((runs - number) / runs * 115 * MINUTE) - 20 * S
        workflow = list(WORKFLOWS)[number % 3]
        Run(workflow, number, start, _outcome(number, now_ns, start), text, ids).add_to(fill)
    for minute in range(120):
        at = (now_ns - minute * MINUTE) // MINUTE * MINUTE
        stored, duplicate = 18 + ids.random.randrange(9), int(minute % 40 == 3) * 3
        rejected = int(minute % 55 == 7) * 2
        fill.add(
            "ingest_minute",
            minute_ns=at,
            received=stored + duplicate + rejected,
            stored=stored,
            duplicate=duplicate,
            rejected=rejected,
            truncated=int(minute == 12),
            late=int(minute == 30),
            requests=4,
            bytes=stored * 1500,
        )
        if rejected:
            fill.add("ingest_rejection", minute_ns=at, reason="invalid_span_id", spans=rejected)
    for fate, records in (("stored", 4), ("no_evidence", 7)):
        fill.add("ingest_log", minute_ns=now_ns // MINUTE * MINUTE, fate=fate, records=records)
    fill.add("ingest_refusal", minute_ns=now_ns // MINUTE * MINUTE, reason="malformed", requests=1)
    return fill


def _outcome(number: int, now_ns: int, start: int) -> str:
    if number % 41 == 40 and start > now_ns - 600 * S:
        return "open"
    return {7: "failed", 13: "silent", 4: "recovered", 19: "pending"}.get(number % 20, "clean")


@dataclass
class Run:
    """One run while it is made up, step by step."""

    workflow: str
    number: int
    start_ns: int
    outcome: str
    text: str
    ids: Ids

    def __post_init__(self) -> None:
        self.trace_id, self.root_id = self.ids.trace(), self.ids.span()
        self.key = list(WORKFLOWS).index(self.workflow) + 1
        self.clock_ns = self.start_ns
        self.steps: list[Row] = []
        self.chain: list[str] = []
        self.origin: str | None = None
        self.failing_step: str | None = None
        self._pass_stages()

    @property
    def end_ns(self) -> int | None:
        return None if self.outcome == "open" else self.clock_ns

    def _pass_stages(self) -> None:
        stages = WORKFLOWS[self.workflow]
        bad = self.number % len(stages)
        for index, stage in enumerate(stages):
            head = self._pass(stage, is_bad=index == bad and self.outcome in ("failed", "silent", "recovered"))
            if index == bad and self.outcome in ("failed", "open", "pending"):
                head.update(self._broken_off())
                break

    def _pass(self, stage: Stage, *, is_bad: bool) -> Row:
        start_ns, at, span_id = self.clock_ns, len(self.steps), self.ids.span()
        name = stage.name + self.text
        self.chain.append(name)
        self._add(
            span_id,
            parent_span_id=None,
            depth=1,
            kind="chain",
            name=name,
            operation_id=span_id,
            status="ok",
            start_ns=start_ns,
        )
        for kind, used in stage.inner or (("chain", "format"),):
            self._operate(span_id, kind, used, is_bad=is_bad)
        head, *inner = self.steps[at:]
        self.clock_ns += 4_000_000
        own_ns = self.clock_ns - start_ns - sum(row["self_ns"] for row in inner)
        head.update(end_ns=self.clock_ns, self_ns=max(0, own_ns))
        return head

    def _broken_off(self) -> Row:
        if self.outcome == "failed":
            return {"status": "failed", "error_type": "TimeoutError", "error_message": f"step failed{self.text}"}
        return {"status": self.outcome, "end_ns": self.end_ns}

    def _operate(self, stage_id: str, kind: str, name: str, *, is_bad: bool) -> None:
        tries = 3 if is_bad and kind in ("tool", "llm") else 1
        operation_id = None
        for attempt in range(1, tries + 1):
            fails = is_bad and (attempt < tries or self.outcome == "failed")
            span_id = self.ids.span()
            operation_id = operation_id or span_id
            length_ns = int(self.ids.random.lognormvariate(0, 0.8) * (900_000_000 if kind == "llm" else 180_000_000))
            row = self._used(kind, name)
            if fails and self.outcome != "silent":
                row |= self._error(kind, name)
            if fails and self.outcome == "silent" and attempt == tries - 1:
                row["in_band_error"] = '{"status": "error", "message": "ledger is locked"}' + self.text
            if fails:
                self.origin, self.failing_step = span_id, self.chain[-1]
            self._add(
                span_id,
                parent_span_id=stage_id,
                depth=2,
                kind=kind,
                name=name + self.text,
                operation_id=operation_id,
                attempt=attempt,
                start_ns=self.clock_ns + 2_000_000,
                end_ns=self.clock_ns + 2_000_000 + length_ns,
                self_ns=length_ns,
                **row,
            )
            self.clock_ns += length_ns + 6_000_000

    def _used(self, kind: str, name: str) -> Row:
        if kind != "llm":
            return {"status": "ok", "tool": name if kind == "tool" else None, "model": None}
        return {
            "status": "ok",
            "tool": None,
            "model": name,
            "provider": "openai",
            "tokens_input": 400 + self.ids.random.randrange(2500),
            "tokens_output": 40 + self.ids.random.randrange(300),
            "cost_usd": 0.002,
        }

    def _error(self, kind: str, name: str) -> Row:
        return {
            "status": "failed",
            "error_type": "RateLimitError" if kind == "llm" else "TimeoutError",
            "error_message": f"{name}: no answer within 30 s{self.text}",
        }

    def _add(self, span_id: str, **values: Any) -> None:
        self.steps.append({"span_id": span_id, "position": len(self.steps), "chain_step": self.chain[-1], **values})

    def add_to(self, fill: Filling) -> None:
        """Adds the rows of the run."""
        for row in self.steps:
            fill.add("step", run_id=self.trace_id, trace_id=self.trace_id, agent=None, **row)
            _span(fill, self, row, self.root_id)
        _span(fill, self, self._root(), None)
        self._add_run(fill)
        if self.number % 6 == 0:
            self._add_verdicts(fill)
        if self.origin:
            self._add_failure(fill)

    def _root(self) -> Row:
        failed = {"error_type": "WorkflowError", "error_message": f"workflow failed{self.text}"}
        return {
            "span_id": self.root_id,
            "parent_span_id": None,
            "kind": "workflow",
            "name": self.workflow + self.text,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            **({"status": "failed", **failed} if self.outcome == "failed" else {"status": "ok"}),
        }

    def _add_run(self, fill: Filling) -> None:
        tokens_input = sum(row.get("tokens_input", 0) for row in self.steps)
        tokens_output = sum(row.get("tokens_output", 0) for row in self.steps)
        last_received_ns = self.clock_ns + S
        fill.add(
            "run",
            run_id=self.trace_id,
            root_trace_id=self.trace_id,
            root_span_id=self.root_id,
            trace_ids=[self.trace_id],
            workflow=self.workflow + self.text,
            workflow_version=("2.4.0" if self.number % 2 else "2.3.1") + self.text,
            service=("billing-agents", "n8n", "crew")[self.key - 1] + self.text,
            environment="production" if self.number % 5 else "staging",
            framework="langgraph",
            session_id=f"s-{self.number // 4}{self.text}",
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            outcome=self.outcome,
            verdict="pass" if self.number % 6 == 0 else None,
            failing_step=self.failing_step,
            origin_span_id=self.origin,
            chain=self.chain,
            spans=len(self.steps) + 1,
            steps=len(self.steps),
            operations=len({row["operation_id"] for row in self.steps}),
            attempts=len(self.steps),
            error_spans=sum(row["status"] == "failed" for row in self.steps),
            orphans=int(self.number % 60 == 9),
            gaps=int(self.number % 30 == 2),
            tokens_input=tokens_input or None,
            tokens_output=tokens_output or None,
            cost_usd=0.03 if tokens_input else None,
            last_received_ns=last_received_ns,
        )
        fill.add(
            "trace",
            trace_id=self.trace_id,
            run_id=self.trace_id,
            spans=len(self.steps) + 1,
            first_received_ns=self.start_ns,
            last_received_ns=last_received_ns,
        )

    def _add_verdicts(self, fill: Filling) -> None:
        for name, span_id, verdict, decides in (
            ("accepted", None, "pass", True),
            ("relevance", self.origin, "fail", False),
        ):
            fill.add(
                "verdict",
                run_id=self.trace_id,
                trace_id=self.trace_id,
                span_id=span_id,
                name=name + self.text,
                verdict=verdict,
                score=0.25,
                label=verdict + self.text,
                explanation=f"read by a person{self.text}",
                source=f"support desk{self.text}",
                decides=decides,
                at_ns=self.clock_ns,
            )

    def _add_failure(self, fill: Filling) -> None:
        fill.add(
            "evidence",
            source="log",
            trace_id=self.trace_id,
            span_id=self.origin,
            time_ns=self.clock_ns,
            name=f"app.exception{self.text}",
            attributes=json.dumps({"exception.message": f"gave up{self.text}"}),
            body=json.dumps(f"a log line{self.text}"),
        )
        fill.add(
            "failure",
            run_id=self.trace_id,
            trace_id=self.trace_id,
            span_id=self.origin,
            step=self.failing_step,
            code="tool.timeout",
            layer_a="tool",
            layer_b="recovery",
            certainty="observed",
            severity="high",
            role="root",
            recovered=self.outcome == "recovered",
            silent=self.outcome == "silent",
            evidence=f"status ERROR, TimeoutError{self.text}",
            at_ns=self.clock_ns,
        )


def _span(fill: Filling, run: Run, row: Row, root: str | None) -> None:
    text = run.text
    bad = row["status"] == "failed"
    attributes = {
        "openinference.span.kind": row["kind"].upper(),
        "input.value": json.dumps({"question": f"Where is my refund?{text}"}),
        "output.value": f"It was paid on Tuesday.{text}",
        "llm.input_messages.0.message.role": "user",
        f"key{text}": text,
        "gen_ai.usage.input_tokens": row.get("tokens_input"),
        "nested": {"list": [1, 2, text]},
    }
    events = [
        {
            "time_ns": row["start_ns"] + 10_000_000,
            "name": f"exception{text}",
            "dropped_attributes_count": 0,
            "attributes": {
                "exception.type": "TimeoutError",
                "exception.message": f"no answer{text}",
                "exception.stacktrace": f"Traceback …\n{text}",
            },
        }
    ]
    links = [
        {
            "trace_id": "ab" * 16,
            "span_id": "cd" * 8,
            "trace_state": text,
            "attributes": {"why": text},
            "dropped_attributes_count": 0,
            "flags": 0,
        }
    ]
    fill.add(
        "span",
        trace_id=run.trace_id,
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"] or root,
        name=row["name"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"] or 0,
        status_code=2 if bad else 0,
        trace_state=text,
        status_message=row.get("error_message", ""),
        attributes=json.dumps(attributes),
        events=json.dumps(events) if bad or text else None,
        links=json.dumps(links) if bad or text else None,
        resource_id=run.key,
        scope_id=run.key,
        dialect=("openinference", "n8n", "openllmetry")[run.key - 1],
        framework="langgraph",
        step_kind=row["kind"],
        step_name=row["name"],
        workflow=run.workflow + text,
        service="billing-agents" + text,
        input_key="input.value",
        output_key="output.value",
        failed=bad,
        error_type=row.get("error_type"),
        error_message=row.get("error_message"),
        gaps=["tokens"] if row["kind"] == "llm" and run.key == 2 else None,
        received_ns=row["start_ns"] + S,
    )
