"""What went wrong in one run, in sentences: what failed, where, how that is known, what came of it, what to do.

Rows in, sentences out. Each sentence knows the span it speaks of; text from spans stays apart from our own words, so
that who shows it can keep it inert.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from dashboard import words
from dashboard.looks import Lens, layer_of
from schemas.codes import UNCLASSIFIED, Certainty, Code

Row = Mapping[str, Any]
Style = Literal["name", "quote", "layer"]

EVIDENCE_CHARS: Final = 240
NAME_CHARS: Final = 80
WORTH_TELLING_NS: Final = 100_000_000
"""What a run spent after its failure is told from here on; less is only unwinding."""
OTHERS: Final = 8
"""Root occurrences told beside the primary one; the Failures view has them all."""

KINDS: Final = {
    "llm": "model call",
    "tool": "tool call",
    "retrieval": "look-up",
    "chain": "step",
    "workflow": "workflow",
    "agent": "agent",
    "handoff": "handoff",
    "guardrail": "check",
    "evaluator": "evaluator",
    "transport": "message",
    "protocol": "request",
}
KNOWN_FROM: Final = {
    Certainty.OBSERVED: "Observed, the span says so itself",
    Certainty.INFERRED: "Inferred from a pattern over spans",
    Certainty.JUDGED: "Judged, only an evaluator says so",
}
SEEN_AS: Final = {
    "siblings": "each in a span of its own",
    "nested": "each in a span of its own",
    "http": "counted by the HTTP requests below it",
    "resend_count": "counted by the HTTP client",
    "event": "counted by events on the span",
}
NO_RETRY: Final = "recovery.no_retry"
PASSED_AT_THE_SEAM: Final = frozenset({"handoff", "routing"})
"""Layers of lens B whose failures begin with who produced the input."""


class Text(NamedTuple):
    """Text of a span, or a layer: what must be shown as it is."""

    text: str
    style: Style


class Sentence(NamedTuple):
    """One sentence and the span it speaks of."""

    parts: tuple[str | Text, ...]
    span_id: str | None = None

    def plain(self) -> str:
        """The sentence as bare text."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)


class Diagnosis(NamedTuple):
    """What is to be said about a run."""

    sentences: tuple[Sentence, ...]
    others: tuple[Sentence, ...] = ()
    """Other root occurrences, one sentence each."""
    rule: str | None = None
    """Rule and version that named the primary failure."""


def diagnose(run: Row, roots: Sequence[Row], lens: Lens, codes: Mapping[str, Code]) -> Diagnosis:
    """The run's diagnosis; without sentences where there is nothing to say.

    Args:
        run: a row of `queries/run_by_id.sql`.
        roots: rows of `queries/run_diagnosis.sql`, the primary one first, that with `run_aftermath.sql`.
        lens: the lens that layers are told through; the other one is named beside it.
        codes: what is known of codes, ours and the user's.
    """
    outcome = run["outcome"]
    first = roots[0] if roots and roots[0]["is_primary"] else None
    opening = {
        "pending": "The run waits for a human.",
        "open": "The run has not finished: no end of its root span has arrived.",
    }.get(outcome)
    told = [Sentence((opening,), run["root_span_id"])] if opening else []
    if run["verdict"] == "fail" and (first is None or first["certainty"] != Certainty.JUDGED):
        told.append(Sentence(("An evaluator's verdict says that the run did not do what it should.",)))
    if first is None:
        if outcome in ("failed", "silent", "recovered"):
            told.append(_unexplained(run))
        return Diagnosis(tuple(told), _others(roots, lens, told_already=0))
    told += [
        _what(first, outcome),
        _which(first, lens, codes),
        *_tries(first),
        *_origin(first),
        *_beside(first),
        *_spread(first),
        *_end(first, run),
        *_cost(first, run),
        *_remedy(first, codes),
    ]
    rule = f"{first['rule_id']}, rules v{first['rule_version']}" if first["rule_id"] else None
    return Diagnosis(tuple(told), _others(roots[1:], lens, told_already=1), rule)


def _name(text: str | None) -> Text:
    line = " ".join((text or "without a name").split())
    return Text(line if len(line) <= NAME_CHARS else line[: NAME_CHARS - 1] + "…", "name")


def _quote(text: str) -> Text:
    line = " ".join(text.split())
    return Text(line if len(line) <= EVIDENCE_CHARS else line[: EVIDENCE_CHARS - 1] + "…", "quote")


def _kind(kind: str) -> str:
    return KINDS.get(kind, f"{kind} step")


def _place(row: Row) -> tuple[str | Text, ...]:
    """`tool call **ledger.query** of **tool_call**`."""
    inner: tuple[str | Text, ...] = (f"{_kind(row['kind'])} ", _name(row["name"]))
    outer = row["chain_step"] or row["step"]
    return (*inner, " of ", _name(outer)) if outer and outer != row["name"] else inner


def _unexplained(run: Row) -> Sentence:
    ending = {"failed": "The run failed", "silent": "Something failed and nothing at the top of the run says so"}
    said = ending.get(run["outcome"], "Something failed and the run recovered from it")
    if run["failing_step"]:
        return Sentence((f"{said}: ", _name(run["failing_step"]), " did."), run["origin_span_id"])
    return Sentence((f"{said}.",), run["origin_span_id"])


def _what(row: Row, outcome: str) -> Sentence:
    took = f" after {words.duration(row['duration_ns'])}" if row["duration_ns"] is not None else ""
    on_try = f" on try {row['attempt']}" if (row["attempt"] or 1) > 1 else ""
    error: tuple[str | Text, ...] = (" with ", _name(row["error_type"])) if row["error_type"] else ()
    ending = {
        "failed": ", and the run failed.",
        "silent": ", and nothing at the top of the run says so.",
        "recovered": ", and the run recovered from it.",
    }.get(outcome, ".")
    if not row["shows_failure"]:
        verb = (
            " was judged to have failed"
            if row["certainty"] == Certainty.JUDGED
            else " ended well, yet something is wrong"
        )
        return Sentence(("The ", *_place(row), verb, ending), row["span_id"])
    if row["is_in_band"]:
        verb = " answered with an error inside a good status"
    else:
        verb = " failed" if row["says_error"] else " did not end well"
    return Sentence(("The ", *_place(row), f"{verb}{took}{on_try}", *error, ending), row["span_id"])


def _which(row: Row, lens: Lens, codes: Mapping[str, Code]) -> Sentence:
    here, other = layer_of(row, lens), layer_of(row, "B" if lens == "A" else "A")
    known = KNOWN_FROM.get(row["certainty"], row["certainty"])
    evidence: tuple[str | Text, ...] = (": ", _quote(row["evidence"]), ".") if row["evidence"] else (".",)
    if row["code"] == UNCLASSIFIED.code:
        return Sentence(
            ("No rule knows this error, so it has no layer: ", Text(here or "", "layer"), *evidence), row["span_id"]
        )
    beside = f" ({other} in lens {'B' if lens == 'A' else 'A'})" if other != here else ""
    code = codes.get(row["code"])
    meaning = f" {code.meaning}" if code and code.meaning else ""
    return Sentence(
        (
            "Layer ",
            Text(here or "", "layer"),
            f"{beside}, code ",
            _name(row["code"]),
            f".{meaning} {known}",
            *evidence,
        ),
        row["span_id"],
    )


def _tries(row: Row) -> list[Sentence]:
    if NO_RETRY in row["contributing"] or row["code"] == NO_RETRY:
        said = "No retry is visible; an SDK may have retried without leaving spans."
        return [Sentence((said,), row["span_id"])]
    if (row["tries"] or 1) < 2:
        return []
    seen = SEEN_AS.get(row["tries_evidence"] or "")
    good = row["good_attempt"]
    ended = f"try {good} was good" if good else "the last was good" if row["recovered"] else "none was good"
    what: tuple[str | Text, ...] = ("It",)
    if row["tries_name"] != row["name"]:
        what = (f"The {_kind(row['tries_kind'])} ", _name(row["tries_name"]))
    said = f" was tried {row['tries']} times{f' ({seen})' if seen else ''}; {ended}."
    return [Sentence((*what, said), row["good_span_id"] or row["span_id"])]


def _origin(row: Row) -> list[Sentence]:
    """Who produced the bad input, where the failure lies at a seam."""
    if row["issuer_span_id"] is None or row["layer_b"] not in PASSED_AT_THE_SEAM:
        return []
    said = ("What it worked on came from the ", _kind(row["issuer_kind"] or "llm"), " ", _name(row["issuer_name"]), ".")
    return [Sentence(said, row["issuer_span_id"])]


def _beside(row: Row) -> list[Sentence]:
    told = []
    if row["trigger"]:
        told.append(Sentence(("What set it off: ", _name(row["trigger"]), "."), row["span_id"]))
    beside = [code for code in row["contributing"] if code not in (NO_RETRY, row["trigger"])]
    if beside:
        told.append(Sentence(("Contributing: ", *_listed(beside), "."), row["span_id"]))
    return told


def _listed(names: Sequence[str], total: int | None = None) -> tuple[str | Text, ...]:
    """`**a**, **b** and 3 more`."""
    parts: list[str | Text] = []
    for number, name in enumerate(names):
        parts += [", ", _name(name)] if number else [_name(name)]
    more = (total or len(names)) - len(names)
    return (*parts, f" and {more} more") if more > 0 else tuple(parts)


def _spread(row: Row) -> list[Sentence]:
    told = []
    if row["passed_on"]:
        names = list(dict.fromkeys(name for name in row["passed_on_names"] if name))
        spans = words.plural(row["passed_on"], "span")
        where: tuple[str | Text, ...] = (": ", *_listed(names)) if names else ()
        told.append(Sentence((f"It passed through {spans} above it", *where, "."), row["passed_on_span_id"]))
    if row["collateral"]:
        spans = words.plural(row["collateral"], "span")
        verb = "was" if row["collateral"] == 1 else "were"
        told.append(Sentence((f"{spans} beside it {verb} cut off as collateral.",), row["collateral_span_id"]))
    return told


def _end(row: Row, run: Row) -> list[Sentence]:
    if row["hidden_span_id"]:
        said = (
            "The ",
            _kind(row["hidden_kind"] or "chain"),
            " ",
            _name(row["hidden_name"]),
            " hid it: it ended well although this lay below it.",
        )
        return [Sentence(said, row["hidden_span_id"])]
    if row["recovered"] and not row["good_attempt"] and (row["tries"] or 1) < 2:
        return [Sentence(("Something that ran later made it good.",), row["span_id"])]
    if run["outcome"] == "failed" and row["silent"]:
        return [Sentence(("The run failed of something else; nobody handled this one.",), row["span_id"])]
    return []


def _cost(row: Row, run: Row) -> list[Sentence]:
    """What failed tries cost, and what was spent after them on a lost run."""
    told = []
    failed = row["failed_tries"] or 0
    cost = _spent(row["tries_ns"], row["tries_tokens"])
    if cost and (failed > 1 or row["tries_tokens"]):  # of one try without tokens the first sentence says all
        tries = f"The {failed} failed tries cost" if failed > 1 else "The failed try cost"
        until = " until the good one began" if row["good_attempt"] else ", waits between them included" * (failed > 1)
        told.append(Sentence((f"{tries} {cost}{until}.",), row["span_id"]))
    lost = run["outcome"] in ("failed", "silent") and not row["recovered"]
    went_on = row["after_tokens"] or (row["after_ns"] or 0) >= WORTH_TELLING_NS
    after = _spent(row["after_ns"], row["after_tokens"]) if lost and went_on else None
    if after:
        what = "in vain" if run["outcome"] == "failed" else "on top of it"
        told.append(Sentence((f"The run then went on for {after} {what}.",), run["root_span_id"]))
    return told


def _spent(ns: int | None, tokens: int | None) -> str | None:
    parts = [words.duration(ns)] if ns is not None else []
    if tokens:
        parts.append(words.plural(tokens, "token"))
    return " and ".join(parts) or None


def _remedy(row: Row, codes: Mapping[str, Code]) -> list[Sentence]:
    code = codes.get(row["code"])
    return [Sentence((f"What usually fixes it: {code.remedy}",), row["span_id"])] if code and code.remedy else []


def _others(rows: Sequence[Row], lens: Lens, told_already: int) -> tuple[Sentence, ...]:
    alike: dict[tuple[str | Text, ...], list[Sentence]] = {}
    for row in rows[:OTHERS]:
        said = _other(row, lens)
        alike.setdefault(said.parts, []).append(said)
    told = [
        Sentence((*parts, f", {len(some)} times") if len(some) > 1 else parts, some[0].span_id)
        for parts, some in alike.items()
    ]
    more = rows[0]["roots"] - told_already - len(rows[:OTHERS]) if rows else 0
    if more > 0:
        told.append(Sentence((f"{words.count(more)} more stand under Failures.",)))
    return tuple(told)


def _other(row: Row, lens: Lens) -> Sentence:
    fate = "recovered" if row["recovered"] else "silent" if row["silent"] else "not recovered"
    place = _place(row)
    start = place[0]
    head = start[:1].upper() + start[1:] if isinstance(start, str) else start
    return Sentence(
        (
            head,
            *place[1:],
            ": ",
            Text(layer_of(row, lens) or "", "layer"),
            ", ",
            _name(row["code"]),
            f", {row['certainty']}, {fate}",
        ),
        row["span_id"],
    )
