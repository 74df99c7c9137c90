"""The failure codes (TAXONOMY §1): what each means, its layer through each lens, and what usually fixes it.

One code a row. To add one: a row here, and in `collector.settle.rules` the evidence that tells it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.taxonomy import LayerA, LayerB


class Severity(StrEnum):
    """How bad a code is. Low never decides a run's outcome."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Certainty(StrEnum):
    """Where a failure is known from; counts of the three are never added up."""

    OBSERVED = "observed"
    """The runtime said so: status, exception, error code, finish reason, or the text of a result."""
    INFERRED = "inferred"
    """A pattern over spans."""
    JUDGED = "judged"
    """Only an outside verdict says so."""


class Code(NamedTuple):
    """One failure code; it has one layer per lens."""

    code: str
    layer_a: LayerA
    layer_b: LayerB
    severity: Severity
    retryable: bool
    """The same call, made again a little later, may well succeed."""
    meaning: str
    """One line."""
    remedy: str
    """What usually fixes it, in a sentence or two."""


_A, _B = LayerA, LayerB
_LOW, _MEDIUM, _HIGH, _CRITICAL = Severity
_RETRY, _NO = True, False

CODES: Final[tuple[Code, ...]] = (
    # component: the model, the provider or the tool's own body failed; nothing between the steps did
    Code(
        "component.rate_limited", _A.COMPONENT, _B.COMPONENT, _HIGH, _RETRY,
        "The model provider refused the call because too many were made.",
        "Retry with exponential back-off that honours Retry-After, limit how many calls run at once, or ask for quota.",
    ),
    Code(
        "component.unavailable", _A.COMPONENT, _B.COMPONENT, _HIGH, _RETRY,
        "The model provider answered with a server error, or could not be reached.",
        "Retry a few times with jittered back-off, then fall back to another model or provider.",
    ),
    Code(
        "component.timeout", _A.COMPONENT, _B.COMPONENT, _HIGH, _RETRY,
        "The model call took longer than its client allows.",
        "Stream the answer or shorten the prompt, give the client a deadline that fits the model, and retry once.",
    ),
    Code(
        "component.auth", _A.COMPONENT, _B.COMPONENT, _CRITICAL, _NO,
        "The model provider refused the key, the account or the payment.",
        "Renew the key or the quota and check at start-up that it works; retrying cannot help.",
    ),
    Code(
        "component.bad_request", _A.COMPONENT, _B.COMPONENT, _HIGH, _NO,
        "The model provider called the request itself wrong.",
        "Read the provider's message: usually a model name, a parameter or a schema that this model does not take.",
    ),
    Code(
        "component.refused", _A.COMPONENT, _B.COMPONENT, _MEDIUM, _NO,
        "The model or a content filter refused to answer, or a guardrail stopped the run.",
        "Give refusals a path of their own: rephrase, use another model, or hand over to a human.",
    ),
    Code(
        "component.judged_quality", _A.COMPONENT, _B.COMPONENT, _MEDIUM, _NO,
        "An evaluator found the answer itself wrong.",
        "Look at the judged answers beside their inputs, then change the prompt, the context or the model.",
    ),
    # state: what the workflow remembers
    Code(
        "state.context_overflow", _A.STATE, _B.STATE, _HIGH, _NO,
        "The conversation no longer fits the model's context window.",
        "Trim or summarise the history before the call, and pass on references instead of whole documents.",
    ),
    Code(
        "state.concurrent_update", _A.STATE, _B.STATE, _HIGH, _NO,
        "Two branches wrote the same key of the shared state in one step, or a node returned what cannot be merged.",
        "Give the key a reducer (LangGraph: Annotated[list, operator.add]) or let each branch write its own key.",
    ),
    Code(
        "state.invalid_history", _A.STATE, _B.STATE, _HIGH, _NO,
        "The message history is broken: a tool call without its result, or a result without its call.",
        "Append every tool result before the next model call, and cut histories only between whole turns.",
    ),
    Code(
        "state.missing", _A.STATE, _B.STATE, _HIGH, _NO,
        "A step looked for a value in the state that nobody had put there.",
        "Check required keys where a step begins, and give the schema of the state defaults.",
    ),
    Code(
        "state.checkpoint", _A.STATE, _B.STATE, _HIGH, _NO,
        "A stored run could not be found or continued.",
        "Use a durable checkpointer, resume with the id the run was stored under, and keep its schema readable.",
    ),
    Code(
        "state.redundant_step", _A.STATE, _B.STATE, _LOW, _NO,
        "An agent repeated a tool call whose answer it already had.",
        "Keep earlier results in the prompt, cache tool calls by their arguments, or tell the agent what it has tried.",
    ),
    # handoff: what one step passes to the next
    Code(
        "handoff.schema_invalid", _A.STATE, _B.HANDOFF, _HIGH, _NO,
        "What a step produced does not have the form the next one needs.",
        "Ask for structured output with a schema, validate at the seam, and ask again with the validation error.",
    ),
    Code(
        "handoff.action_unparseable", _A.STATE, _B.HANDOFF, _MEDIUM, _NO,
        "The model's answer could not be read as an action.",
        "Use the provider's native tool calling, show one correct example, and feed the parser's error back once.",
    ),
    Code(
        "handoff.tool_args_invalid", _A.TOOL, _B.HANDOFF, _MEDIUM, _NO,
        "A tool was called with arguments it does not take.",
        "Describe the arguments in the tool's schema, turn on strict mode, and return the validation error to the "
        "model.",
    ),
    Code(
        "handoff.truncated", _A.STATE, _B.HANDOFF, _MEDIUM, _NO,
        "The model stopped at its token limit, and the cut answer was passed on.",
        "Raise the limit, ask for less, or treat this finish reason as an error and continue the answer.",
    ),
    Code(
        "handoff.contract_missing", _A.STATE, _B.HANDOFF, _LOW, _NO,
        "An answer lacks what the configured contract says it must hold.",
        "State the contract in the prompt of the step that breaks it, and check it before passing the answer on.",
    ),
    Code(
        "handoff.undelivered", _A.CONTROL, _B.HANDOFF, _HIGH, _NO,
        "A message between agents reached nobody who could handle it.",
        "Register a handler for the message's type, and let the runtime report dropped messages as errors.",
    ),
    # routing: who works next
    Code(
        "routing.loop_limit", _A.CONTROL, _B.ROUTING, _HIGH, _NO,
        "The workflow went round until a limit on steps, turns or usage stopped it.",
        "Give the loop a way out (a best answer so far, a human) and check why its condition is never met.",
    ),
    Code(
        "routing.unknown_agent", _A.CONTROL, _B.ROUTING, _HIGH, _NO,
        "Control was to go to a step or agent that does not exist.",
        "Let the router choose from a closed list, and map anything else to a default step.",
    ),
    Code(
        "routing.unknown_tool", _A.TOOL, _B.ROUTING, _MEDIUM, _NO,
        "The model called a tool that does not exist.",
        "Offer fewer, clearly named tools, and answer with the list of valid names.",
    ),
    Code(
        "routing.capability_denied", _A.TOOL, _B.ROUTING, _MEDIUM, _NO,
        "An agent tried what its sandbox does not allow.",
        "Tell the agent what is allowed, or allow it (smolagents: additional_authorized_imports).",
    ),
    Code(
        "routing.ping_pong", _A.CONTROL, _B.ROUTING, _MEDIUM, _NO,
        "Two agents handed the work back and forth without doing any.",
        "Give each agent a clear task, forbid handing straight back, and limit handoffs per run.",
    ),
    Code(
        "routing.tools_bypassed", _A.CONTROL, _B.ROUTING, _LOW, _NO,
        "An agent that had tools answered without using any.",
        "If the answer needs the tools, require one (tool_choice) or check that the answer cites a result.",
    ),
    # tool: the tool call itself
    Code(
        "tool.rate_limited", _A.TOOL, _B.RECOVERY, _HIGH, _RETRY,
        "The service behind a tool refused the call because too many were made.",
        "Back off as Retry-After says, limit how many calls run at once, and cache what is asked repeatedly.",
    ),
    Code(
        "tool.timeout", _A.TOOL, _B.RECOVERY, _HIGH, _RETRY,
        "A tool did not answer in time.",
        "Give the tool a deadline of its own, retry idempotent calls, and bound what one call may ask for.",
    ),
    Code(
        "tool.unavailable", _A.TOOL, _B.RECOVERY, _HIGH, _RETRY,
        "The service behind a tool failed or could not be reached.",
        "Retry with back-off, then break the circuit and let the workflow go on knowingly without the result.",
    ),
    Code(
        "tool.auth", _A.TOOL, _B.HANDOFF, _HIGH, _NO,
        "The service behind a tool refused access.",
        "Renew the credentials, pass the user's on, and check access before the run needs it.",
    ),
    Code(
        "tool.not_found", _A.TOOL, _B.HANDOFF, _MEDIUM, _NO,
        "What the tool was asked for does not exist.",
        "Check where the name came from: models invent paths and ids. Offer a listing or search tool first.",
    ),
    Code(
        "tool.input_unsupported", _A.TOOL, _B.HANDOFF, _MEDIUM, _NO,
        "The tool cannot read what it was given.",
        "Convert before the call, or name the accepted formats in the tool's description.",
    ),
    Code(
        "tool.empty_result", _A.TOOL, _B.HANDOFF, _LOW, _NO,
        "A look-up found nothing.",
        "Widen the query or lower the threshold, and tell the next step that it works without a source.",
    ),
    Code(
        "tool.error", _A.TOOL, _B.COMPONENT, _MEDIUM, _NO,
        "The tool itself failed.",
        "Fix the tool; return expected refusals as results the agent can act on.",
    ),
    # recovery: what the workflow does about failures
    Code(
        "recovery.blind_retry", _A.ERROR, _B.RECOVERY, _MEDIUM, _NO,
        "The same failing call was made again with the same arguments.",
        "Retry only errors that can pass, with back-off; for others change the arguments or stop.",
    ),
    Code(
        "recovery.retry_exhausted", _A.ERROR, _B.RECOVERY, _HIGH, _NO,
        "Every retry failed and the framework gave up.",
        "Look at the trigger: retrying does not cure it. Add a fallback for the case that retries end.",
    ),
    Code(
        "recovery.no_retry", _A.ERROR, _B.RECOVERY, _HIGH, _NO,
        "A failure that may pass ended the run, and no retry is visible.",
        "Add a retry policy with back-off to this step (an SDK may have retried without leaving spans).",
    ),
    Code(
        "recovery.deadline", _A.ERROR, _B.RECOVERY, _HIGH, _RETRY,
        "A step ran out of the time its workflow gives it.",
        "Set deadlines of inner calls below that of the step, or give the step more time.",
    ),
    Code(
        "recovery.silent_failure", _A.ERROR, _B.RECOVERY, _HIGH, _NO,
        "A step failed inside, and the one above it reported success.",
        "Let the step above check the result and either repair it or fail.",
    ),
    Code(
        "recovery.fail_open", _A.ERROR, _B.RECOVERY, _CRITICAL, _NO,
        "A check rejected the work, and it was delivered all the same.",
        "Make delivery depend on a passing check; a rejection must loop back or stop the run.",
    ),
    Code(
        "recovery.duplicate_effect", _A.ERROR, _B.RECOVERY, _CRITICAL, _NO,
        "A call with side effects was made twice with the same arguments, and both succeeded.",
        "Give the call an idempotency key, and check for the effect before retrying.",
    ),
    # judged: only an evaluator says so (TAXONOMY §6)
    Code(
        "judged.goal", _A.CONTROL, _B.ROUTING, _MEDIUM, _NO,
        "An evaluator found that the run pursued another goal than the one it was given.",
        "Restate the goal in each agent's prompt and check progress against it.",
    ),
    Code(
        "judged.route", _A.CONTROL, _B.ROUTING, _MEDIUM, _NO,
        "An evaluator found that the wrong agent or tool did the work.",
        "Sharpen the descriptions the router chooses by, and add the judged case to its examples.",
    ),
    Code(
        "judged.state", _A.STATE, _B.STATE, _MEDIUM, _NO,
        "An evaluator found that context was lost or misused.",
        "Carry the facts a step needs in the state rather than in the conversation.",
    ),
    Code(
        "judged.handoff", _A.STATE, _B.HANDOFF, _MEDIUM, _NO,
        "An evaluator found that one step misread what another had produced.",
        "Hand over structured results with their meaning named, instead of prose.",
    ),
    Code(
        "unclassified", _A.UNCLASSIFIED, _B.UNCLASSIFIED, _MEDIUM, _NO,
        "A step failed and no rule knows this error.",
        "Look at the exception; a rule of your own in seamscope.toml can name it.",
    ),
)  # fmt: skip
"""Every code, in the order of TAXONOMY §1."""

BY_NAME: Final[dict[str, Code]] = {code.code: code for code in CODES}

UNCLASSIFIED: Final = BY_NAME["unclassified"]
"""A failure that no rule names: it stays visible, with its exception class, as the backlog of rules."""
