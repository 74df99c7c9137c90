"""Which spans are one run. A run is mostly one trace; every exception is in this module.

- A framework that shatters a run over traces gives its spans a run key (AutoGen's team): traces with the key belong to
  the workflow span with that key that began last before them, because a team is used again.
- A trace that is only a client library's model call belongs to the model call it is a copy of: same response id, or
  where one of the two has none, enclosed by it in time and sent by the same resource. The same holds for two client
  libraries that both saw the call, and beside each other under an ambient span.
- A trace that is only a cancelled model call belongs to the cancelled step that encloses it in time.
- An ambient root (a user's span, an HTTP server) around several workflows is several runs; so are several workflows one
  after another at the top of a trace (a resumed n8n execution).
- A trace without work (set-up, protocol, transport) is no run.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from collector.settle.rows import Stray, TraceRow
from collector.settle.spans import LLM, NEVER_NS, NO_WORK, TRANSPORT, WORKFLOW, Spans
from collector.settle.tree import NONE, Forest, walk

AMBIENT_DIALECTS: Final = frozenset({"generic", "http"})
"""Who makes spans that merely surround a workflow."""

REMOTE_PARENT: Final = 0x300
"""OTLP span flags: the sender knows whether the parent is remote, and it is."""

LOOK_BACK: Final = 64
"""How many open spans are tried before a stray is left alone: bounds the work on a wide fan of calls."""

PRODUCER: Final = 4
"""OTLP span kind of a message that is sent."""


@dataclass(slots=True)
class Run:
    """The spans of one run, before anything is derived from them."""

    run_id: str
    base: int
    """The span the run is named after: its root, the workflow span that started it, else its earliest span."""
    root: int
    """The span that covers the run, or NONE."""
    members: list[int]
    """Parents before children."""


def stray_tops(spans: Spans, parent: Sequence[int]) -> list[int]:
    """The top spans of traces that hold nothing but one model call (with its transport) and no link to a run."""
    busy = {
        trace
        for trace, kind, key in zip(spans.trace_id, spans.step_kind, spans.run_key, strict=True)
        if kind not in (LLM, TRANSPORT) or key is not None
    }
    tops: dict[str, list[int]] = {}
    for i, above in enumerate(parent):
        if above == NONE and spans.trace_id[i] not in busy:
            tops.setdefault(spans.trace_id[i], []).append(i)
    return [found[0] for found in tops.values() if len(found) == 1 and spans.step_kind[found[0]] == LLM]


def stray_rows(spans: Spans, tops: Iterable[int]) -> list[Stray]:
    """What is needed to find the runs of these strays."""
    return [
        Stray(spans.trace_id[i], spans.resource_id[i], spans.response_id[i], spans.start_ns[i], spans.end_ns[i])
        for i in tops
    ]


def adopters(spans: Spans, parent: Sequence[int], strays: Sequence[int]) -> dict[int, int]:
    """For each stray whose run is here, the span that it is a copy of, or was cancelled with.

    A model call that hangs beside a framework's own, under the ambient span of both, is a stray within its trace.
    """
    loose = [*strays, *_loose_calls(spans, parent)]
    waiting = set(loose)
    calls = [i for i, k in enumerate(spans.step_kind) if k == LLM and i not in waiting]
    by_response: dict[str, int] = {}
    for i in [*calls, *sorted(loose)]:
        response = spans.response_id[i]
        if response is not None:
            by_response.setdefault(response, i)
    found: dict[int, int] = {}
    for i in loose:
        twin = by_response.get(spans.response_id[i] or "", i)
        if twin != i:
            found[i] = twin
    unmatched = [i for i in loose if i not in found]
    if unmatched:
        found |= _enclosing_calls(spans, unmatched, calls, found.values(), {*loose} - {*strays})
    return found


def _loose_calls(spans: Spans, parent: Sequence[int]) -> list[int]:
    """Calls of a client library right under an ambient span, with no model call below them."""
    asking = {parent[i] for i, kind in enumerate(spans.step_kind) if kind == LLM}
    return [
        i
        for i, kind in enumerate(spans.step_kind)
        if kind == LLM
        and parent[i] != NONE
        and spans.dialect[parent[i]] in AMBIENT_DIALECTS
        and spans.framework[i] is None
        and i not in asking
    ]


def _enclosing_calls(
    spans: Spans, strays: Sequence[int], calls: Sequence[int], adopted: Iterable[int], at_home: Set[int]
) -> dict[int, int]:
    """For each stray the span of the same resource that encloses it; one each, the latest to start.

    Those that are `at_home` have their run already: only a span of their own trace can be the same call, whatever
    other runs do meanwhile.

    That is a model call, of which one of the two does not know the response. A cancelled call may have no other trace
    than the cancelled step it was made in, and a call may be seen by two client libraries and no framework.
    """
    found: dict[int, int] = {}
    free_calls = {*calls} - {*adopted}
    waiting = set(strays)
    open_spans: dict[int, list[int]] = {}
    cancelled = [i for i, c in enumerate(spans.collateral) if c and spans.step_kind[i] not in (LLM, WORKFLOW, *NO_WORK)]
    for i in sorted({*strays, *free_calls, *cancelled}, key=lambda i: (spans.start_ns[i], i in waiting, i)):
        latest = open_spans.setdefault(spans.resource_id[i], [])
        if i in waiting:
            alive = [c for c in latest[-LOOK_BACK:] if (spans.end_ns[c] or NEVER_NS) >= spans.start_ns[i]]
            near = (c for c in reversed(alive) if i not in at_home or spans.trace_id[c] == spans.trace_id[i])
            over = next((c for c in near if _encloses(spans, waiting, c, i)), NONE)
            if over != NONE:
                alive.remove(over)
                found[i] = over
            latest[-LOOK_BACK:] = alive
        if i not in found:
            latest.append(i)
    return found


def _encloses(spans: Spans, waiting: Set[int], over: int, i: int) -> bool:
    """Whether the span that began first may be the same call, or the step that was cancelled with it."""
    if (spans.end_ns[over] or NEVER_NS) < (spans.end_ns[i] or NEVER_NS):
        return False
    if spans.step_kind[over] != LLM:
        return spans.collateral[i]
    if spans.response_id[over] is not None and spans.response_id[i] is not None:
        return False
    is_same_model = spans.model[over] == spans.model[i] or None in (spans.model[over], spans.model[i])
    return over not in waiting or (is_same_model and spans.scope_id[over] != spans.scope_id[i])


def find_runs(spans: Spans, forest: Forest) -> list[Run]:
    """The runs of the batch, in order of their first span."""
    tops = [i for i, above in enumerate(forest.parent) if above == NONE]
    pieces = _pieces(spans, forest, tops)
    homes = _homes(spans, forest, tops, pieces)
    members: dict[int, list[int]] = {}
    home_of = [NONE] * len(forest.parent)
    for i in walk(tops, forest.children):
        home = pieces[i] if i in pieces else homes[i] if i in homes else home_of[forest.parent[i]]
        home_of[i] = home
        if home != NONE:
            members.setdefault(home, []).append(i)
    runs: list[Run] = []
    named: set[str] = set()
    for home in sorted(members):
        inside = members[home]
        if any(spans.step_kind[i] not in NO_WORK or spans.run_key[i] is not None for i in inside):
            runs.append(_run(spans, forest, home, inside, named))
    return runs


def _pieces(spans: Spans, forest: Forest, tops: Sequence[int]) -> dict[int, int]:
    """Below each ambient root that holds several workflows: the workflow that each subtree belongs to.

    The ambient spans themselves belong to none (NONE).
    """
    pieces: dict[int, int] = {}
    for top in tops:
        if spans.dialect[top] not in AMBIENT_DIALECTS or top not in forest.children:
            continue
        ambient, units = _units(spans, forest, top)
        workflows = [i for i in units if spans.step_kind[i] == WORKFLOW]
        if len(workflows) > 1:
            starts = _starts(spans, workflows)
            pieces.update(dict.fromkeys(ambient, NONE))
            for i in units:
                start = _start_of(spans, starts, i)
                pieces[i] = start if start != NONE else workflows[max(bisect_right(workflows, i) - 1, 0)]
    return pieces


def _units(spans: Spans, forest: Forest, top: int) -> tuple[list[int], list[int]]:
    """The ambient spans from the top down, and the first spans below them that are not ambient, in order."""
    ambient = []
    units: list[int] = []
    stack = [top]
    while stack:
        above = stack.pop()
        ambient.append(above)
        for i in forest.children.get(above, ()):
            is_ambient = spans.step_kind[i] != WORKFLOW and spans.dialect[i] in AMBIENT_DIALECTS
            (stack if is_ambient else units).append(i)
    return ambient, sorted(units)


def _starts(spans: Spans, workflows: Iterable[int]) -> dict[str, list[int]]:
    """Run key to the workflow spans that carry it, in order."""
    starts: dict[str, list[int]] = {}
    for i in workflows:
        key = spans.run_key[i]
        if key is not None:
            starts.setdefault(key, []).append(i)
    return starts


def _start_of(spans: Spans, starts: Mapping[str, Sequence[int]], i: int) -> int:
    """The workflow span with this span's run key that it belongs to, or NONE.

    The last to begin before it; or the first of all where it is the message that started the group, which is earlier.
    """
    candidates = starts.get(spans.run_key[i] or "")
    if not candidates:
        return NONE
    began = bisect_right(candidates, spans.start_ns[i], key=spans.start_ns.__getitem__)
    if began < len(candidates):
        following = candidates[began]
        announces = spans.end_ns[i] >= spans.start_ns[following] and not (
            began and spans.end_ns[candidates[began - 1]] > spans.start_ns[i]
        )
        if announces or not began:
            return following
    return candidates[began - 1]


def _homes(spans: Spans, forest: Forest, tops: Sequence[int], pieces: Mapping[int, int]) -> dict[int, int]:
    """For each top: the span whose run it belongs to."""
    starts = _starts(spans, (i for i, kind in enumerate(spans.step_kind) if kind == WORKFLOW))
    by_trace: dict[str, list[int]] = {}
    for top in tops:
        by_trace.setdefault(spans.trace_id[top], []).append(top)
    homes: dict[int, int] = {}
    for trace_tops in by_trace.values():
        heads = _heads(spans, forest, trace_tops)
        for top in trace_tops:
            homes[top] = heads[max(bisect_right(heads, top) - 1, 0)]
    startless: dict[str, int] = {}
    for top in tops:
        key = spans.run_key[top]
        if key is None or top in pieces:
            continue
        start = _start_of(spans, starts, top)
        if start == NONE:
            homes[top] = startless.setdefault(key, top)
        elif spans.trace_id[start] != spans.trace_id[top]:
            homes[top] = _home(forest, pieces, homes, start)
    return homes


def _home(forest: Forest, pieces: Mapping[int, int], homes: Mapping[int, int], i: int) -> int:
    while i not in pieces and forest.parent[i] != NONE:
        i = forest.parent[i]
    return pieces[i] if i in pieces else homes[i]


def _heads(spans: Spans, forest: Forest, trace_tops: Sequence[int]) -> list[int]:
    """The tops of a trace that are runs of their own: workflows that follow one another; else its first."""
    heads: list[int] = []
    end = 0
    for top in trace_tops:
        is_own = top not in forest.orphans or spans.flags[top] & REMOTE_PARENT == REMOTE_PARENT
        if spans.step_kind[top] == WORKFLOW and is_own and spans.start_ns[top] >= end:
            heads.append(top)
            end = spans.end_ns[top] or NEVER_NS
    return heads or [trace_tops[0]]


def _run(spans: Spans, forest: Forest, home: int, members: list[int], named: set[str]) -> Run:
    root = _root(spans, forest, home, members)
    base = root if root != NONE else _base(spans, members)
    trace = spans.trace_id[base]
    run_id = f"{trace}-{spans.span_id[base]}" if trace in named else trace
    named.add(trace)
    return Run(run_id, base, root, members)


def _base(spans: Spans, members: Sequence[int]) -> int:
    """The span a run without a root is named after."""
    starts = [i for i in members if spans.step_kind[i] == WORKFLOW and spans.run_key[i] is not None]
    return min(starts or members)


def _root(spans: Spans, forest: Forest, home: int, members: Sequence[int]) -> int:
    """The span that covers the run, or NONE: the only top, the only one without a parent, or one around all others."""
    inside = set(members)
    tops = [i for i in members if forest.parent[i] not in inside]
    if forest.parent[home] != NONE:
        return home if _may_cover(spans, home) else NONE
    roots = [i for i in tops if i not in forest.orphans]
    for candidates in (tops, roots):
        if len(candidates) == 1 and _may_cover(spans, candidates[0]):
            return candidates[0]
    start = min(spans.start_ns[i] for i in tops)
    end = max(spans.end_ns[i] for i in tops)
    covering = [i for i in roots if spans.start_ns[i] <= start and spans.end_ns[i] >= end and _may_cover(spans, i)]
    return covering[0] if covering else _caller(spans, forest, members, inside)


def _caller(spans: Spans, forest: Forest, members: Sequence[int], inside: Set[int]) -> int:
    """The span that started a shattered run and waited for it, though its last messages may outlive it; or NONE."""
    i = start = _base(spans, members)
    while forest.parent[i] in inside:
        i = forest.parent[i]
    return i if i != start and spans.run_key[start] is not None and _may_cover(spans, i) else NONE


def _may_cover(spans: Spans, i: int) -> bool:
    """A message is over before the work it asks for; transport with a run key is only a part of a run."""
    return spans.kind[i] != PRODUCER and (spans.run_key[i] is None or spans.step_kind[i] not in NO_WORK)


def trace_rows(spans: Spans, runs: Iterable[Run]) -> list[TraceRow]:
    """Each trace of the batch, the run it belongs to, and what it held."""
    run_of: dict[str, str] = {}
    for run in runs:
        for i in run.members:
            run_of.setdefault(spans.trace_id[i], run.run_id)
    count: dict[str, int] = {}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for trace, received in zip(spans.trace_id, spans.received_ns, strict=True):
        count[trace] = count.get(trace, 0) + 1
        first[trace] = min(received, first.get(trace, received))
        last[trace] = max(received, last.get(trace, received))
    return [TraceRow(t, run_of.get(t), count[t], first[t], last[t]) for t in sorted(count)]
