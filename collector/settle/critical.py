"""The critical path of a run: at each moment of it, the one step that the end of the run waited for.

From the end backwards: a run, or a step, waited for the last of its children to end; before that child began, for the
last of the others that had begun by then; where there was none, for itself. A child counts only within its parent, and
an overlapping one only up to where the later one began, so the parts add up to the run whatever the clocks say.
"""

from collections.abc import Mapping

from collector.settle.spans import Spans
from collector.settle.steps import Steps
from collector.settle.tree import NONE


def critical_times(spans: Spans, steps: Steps, start_ns: int, end_ns: int) -> Mapping[int, int]:
    """For each step on the critical path, the time in ns that no step below it accounts for; NONE is the run itself.

    Args:
        start_ns, end_ns: of the run. The times add up to the difference; an end before the start gives none.
    """
    found: dict[int, int] = {}
    todo = [(NONE, start_ns, end_ns)]
    while todo:
        step, begin, at = todo.pop()
        own = 0
        for child in sorted(steps.children.get(step, ()), key=lambda i: (spans.end_ns[i], i), reverse=True):
            if at <= begin:
                break
            child_end = min(spans.end_ns[child], at)
            child_begin = max(spans.start_ns[child], begin)
            if child_end <= child_begin:
                continue
            own += at - child_end
            todo.append((child, child_begin, child_end))
            at = child_begin
        own += max(at - begin, 0)
        if own:
            found[step] = own
    return found
