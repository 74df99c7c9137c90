"""The rules that name a failure: one rule a row, in order of precedence (TAXONOMY §2). The first that fits names it.

To add one: put a row where its precedence is. A row fits where everything it says fits: `where` the evidence lies, the
text `says` it, the `status`, the `finish` reason. What the codes mean is in `schemas.codes`.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Flag, auto
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.codes import BY_NAME, UNCLASSIFIED, Code
from schemas.rules import UserRules


class Where(Flag):
    """What kind of span the evidence lies on."""

    LLM = auto()
    AGENT = auto()
    NODE = auto()
    """A step of the workflow's own: graph node, task, the workflow itself, a check."""
    TOOL = auto()
    """A tool or retrieval call, and every error inside a result."""
    REQUEST = auto()
    """A protocol request other than a tool call (MCP resources/read)."""

    MODEL = LLM | AGENT
    """A provider's error shows on the agent where model calls have no spans."""
    CALL = TOOL | REQUEST
    NOT_TOOL = LLM | AGENT | NODE
    OWN = AGENT | NODE
    ANY = LLM | AGENT | NODE | TOOL | REQUEST


class Rule(NamedTuple):
    """One row."""

    code: str
    name: str
    """Tells the rows of one code apart; code and name are the rule's id."""
    where: Where
    says: str = ""
    """Pattern that is searched in "exception class: message", in any case."""
    status: tuple[str, ...] = ()
    """HTTP statuses (`5xx`: any of them) or JSON-RPC codes."""
    not_status: tuple[str, ...] = ()
    """HTTP statuses with which it does not fit."""
    finish: tuple[str, ...] = ()
    """Finish reasons, in the words of `Normalised.finish_reason` or the provider's own."""
    is_last_resort: bool = False
    """Fits only where nothing else does, so it never contributes."""
    attribute: str = ""
    """Span attribute whose value is looked at; only rules of the user have one."""
    value: str = ""
    """Pattern that is searched in it, in any case."""

    @property
    def rule_id(self) -> str:
        """How a failure refers to the rule that named it."""
        return f"{self.code}/{self.name}"


W = Where

_SCHEMA = (
    r"\bValidationError\b|OutputParserException|JSONDecodeError|\bConverterError\b|LengthFinishReasonError"
    r"|JSONSchemaValidation|\d validation errors?(?: for\b|:)|Invalid JSON\b|\bin JSON at position \d|is not valid JSON"
    r"|Unexpected end of JSON input|\bAI_NoObjectGenerated"
    r"|(?:Expecting (?:value|property name|',' delimiter|':' delimiter)|Unterminated string starting at|Extra data)"
    r".{0,60}line \d+ column \d+"
)

_SDK_SAYS: Final = r"(?:\bError code|\bModelHTTPError: status_code): "
"""How OpenAI's and Anthropic's clients, and Pydantic AI, begin the HTTP status of a provider, wherever it shows."""

_NOT_BAD: Final = ("401", "402", "403", "408", "429")
"""Statuses that a request need not be wrong for: they say something else."""

_N8N_ABORTED = r"The connection was aborted, perhaps the server is offline"
"""n8n's words for ECONNABORTED, by which its HTTP client means a time-out."""

RULES: Final[tuple[Rule, ...]] = (
    # 2. the state itself; often wrapped in a provider's 400
    Rule(
        "state.context_overflow", "text", W.ANY,
        r"context_length_exceeded|Context(?:Window|Length)(?:Exceed|Overflow)|ContextOverflowError|ContentTooLargeError"
        r"|request_too_large|maximum context length|prompt is too long|input is too long for (?:the )?requested model"
        r"|input token count .{0,40}exceeds the maximum|exceeds? .{0,40}context (?:window|length)",
    ),
    Rule("state.context_overflow", "finish", W.LLM, finish=("model_context_window_exceeded",)),
    Rule(
        "state.concurrent_update", "langgraph", W.ANY,
        r"InvalidUpdateError|INVALID_CONCURRENT_GRAPH_UPDATE|INVALID_GRAPH_NODE_RETURN_VALUE"
        r"|Can receive only one value per step",
    ),
    Rule(
        "state.invalid_history", "text", W.NOT_TOOL,
        r"INVALID_CHAT_HISTORY|do not have a corresponding ToolMessage"
        r"|tool_calls\\?'? must be followed by tool messages"
        r"|tool_use. ids were found without .tool_result|unexpected .tool_use_id. found in .tool_result"
        r"|role \\?'?tool\\?'? must be a response to a preceeding message"
        r"|No tool (?:call|output) found for function call",
    ),
    Rule(
        "state.checkpoint", "class", W.ANY,
        r"\bTaskNotFound\b|UnknownInterruptError|InvalidRequestState|WorkflowCheckpointException"
        r"|No checkpointer set|Checkpointer requires one or more of the following",
    ),
    # 3. a framework that gave up retrying
    Rule(
        "recovery.retry_exhausted", "gave-up", W.ANY,
        r"\bRetryError\b|InstructorRetryException|Exceeded maximum (?:output |result )?retries"
        r"|exceeded max retries count|failed .{0,60}validation after \d+ retries",
    ),
    # 4. limits, targets that do not exist, messages that reach nobody
    Rule(
        "routing.loop_limit", "limit", W.ANY,
        r"GraphRecursionError|Recursion limit of|MaxTurnsExceeded|Max turns exceeded|AgentMaxStepsError"
        r"|Reached max(?:imum)? (?:number of )?(?:steps|iterations|rounds|turns)|Max rounds reached"
        r"|(?:Model|Tool)CallLimitExceeded|LlmCallsLimitExceeded|UsageLimitExceeded|WorkflowConvergenceException"
        r"|Agent stopped due to (?:iteration|max iterations)|exceed the request_limit"
        r"|Max(?:imum)? iterations (?:of \d+ )?(?:reached|exceeded)|PipelineMaxComponentRuns"
        r"|(?:tool|its) (?:maximum )?usage limit\b",
    ),
    Rule(
        "routing.unknown_agent", "target", W.ANY,
        r"coworker mentioned not found|returned an invalid speaker name|did not return a valid destination"
        r"|SkillNotFoundError|\b(?:handoff )?target .{0,80}\bis not (?:one of the|a) participants?"
        r"|\bagent .{0,60} not found in (?:the )?(?:agent tree|team|crew|participants)"
        r"|\bagent .{0,60} not found\. Please select a (?:different|valid) agent"
        r"|\bTransfer target agent .{0,60} not found\b",
    ),
    Rule(
        "routing.unknown_tool", "name", W.ANY,
        r"is not a valid tool, try one of|\bunknown tool\b|not found in agent\b|not found in any workbench"
        r"|these are the only available Actions|\bTool ?Not ?Found"
        r"|\btool ['\"`]?[\w.-]+['\"`]? (?:(?:is )?not (?:found|available|registered)|does not exist)\b"
        r"|\bno (?:such )?tool (?:named|called)\b|\bno tool with that name is available|\bAI_NoSuchTool"
        r"|\bis not found in the tools_dict|\btool with name .{0,80} not found\b"
        r"|\brequested function .{0,80} not found\b",
    ),
    Rule("routing.unknown_tool", "json-rpc", W.TOOL, status=("-32601",)),
    Rule(
        "routing.capability_denied", "sandbox", W.ANY,
        r"\bImport (?:of|from) .{0,80} is not allowed|not permitted to evaluate other functions"
        r"|Forbidden (?:function evaluation|access to)",
    ),
    Rule("handoff.undelivered", "class", W.ANY, r"UndeliverableExcep|MessageDroppedExcep|CantHandleExcep"),
    # 5. the model call
    Rule(
        "component.rate_limited", "text", W.NOT_TOOL,
        r"RateLimit\w*Error|rate_limit_(?:error|exceeded)|ThrottlingException|RESOURCE_EXHAUSTED|ServiceQuotaExceeded"
        rf"|{_SDK_SAYS}429\b",
    ),
    Rule("component.rate_limited", "status", W.MODEL, status=("429",)),
    Rule("component.rate_limited", "words", W.MODEL, r"too many requests|\brate limit"),
    Rule(
        "component.auth", "text", W.NOT_TOOL,
        r"\bAuthenticationError\b|PermissionDeniedError|invalid_api_key|insufficient_quota|Incorrect API key"
        r"|\bauthentication_error\b|\bpermission_error\b|credit balance is too low|UNAUTHENTICATED\b"
        r"|PERMISSION_DENIED\b|API key not valid|invalid x-api-key|AccessDeniedException"
        r"|UnrecognizedClientException|ExpiredTokenException"
        rf"|BudgetExceeded|{_SDK_SAYS}40[123]\b",
    ),
    Rule("component.auth", "status", W.MODEL, status=("401", "402", "403")),
    Rule(
        "component.timeout", "sdk", W.NOT_TOOL,
        r"(?:API|Model|OpenAI|Anthropic)Timeout|client_timeout_error|\bRequest timed out",
    ),
    Rule("component.timeout", "n8n", W.MODEL, _N8N_ABORTED),
    Rule("component.timeout", "text", W.LLM, r"Timeout\b|TimeoutE|\btimed? ?out\b|DEADLINE_EXCEEDED|ETIMEDOUT"),
    Rule("component.timeout", "status", W.MODEL, status=("408", "504")),
    Rule(
        "component.unavailable", "sdk", W.NOT_TOOL,
        r"\bInternalServerError\b|API(?:Connection|Status5\d\d)\w*Error|OpenAIConnectionError|overloaded_error"
        r"|\bOverloadedError|\bModelServerError|ServiceUnavailableE|InternalServerException|ModelNotReadyException"
        rf"|All models from FallbackModel failed|Invalid response from LLM call|{_SDK_SAYS}5\d\d\b",
    ),
    Rule("component.unavailable", "status", W.MODEL, status=("5xx",)),
    Rule(
        "component.unavailable", "text", W.MODEL,
        r"\bConnection ?Error\b|\bConnectError\b|RemoteProtocolError|\b(?:server|api)_error\b|ECONNREFUSED|ECONNRESET"
        r"|\bENOTFOUND\b|connection (?:was )?(?:refused|reset|aborted|closed)|\bUNAVAILABLE\b|\bbad gateway\b",
    ),
    Rule(
        "component.refused", "text", W.NOT_TOOL,
        r"content_filter|ContentFilter|ModelRefusalError|content_policy_violation|ContentPolicyViolation|ResponsibleAIPolicy"
        r"|rejected by the content filter|Guardrail\w*Tripwire|Guardrail tripwire triggered|\bModelRefusal",
    ),
    Rule("component.refused", "finish", W.LLM, finish=("content_filter",)),
    Rule("handoff.tool_args_invalid", "class", W.NOT_TOOL, r"\bAI_InvalidTool(?:Input|Arguments)"),
    Rule("handoff.schema_invalid", "answer", W.MODEL, _SCHEMA),
    Rule(
        "component.bad_request", "text", W.NOT_TOOL,
        r"\bBadRequestError\b|invalid_request_error|UnprocessableEntityError|model_not_found|INVALID_ARGUMENT"
        rf"|UnsupportedParams|{_SDK_SAYS}4\d\d\b",
        not_status=_NOT_BAD,
    ),
    Rule("component.bad_request", "words", W.MODEL, r"\bNOT_FOUND\b|\bNotFoundError\b|\bValidationException\b"),
    Rule("component.bad_request", "status", W.MODEL, status=("4xx",), not_status=_NOT_BAD),
    Rule("handoff.truncated", "finish", W.LLM, finish=("length",)),
    Rule(
        "handoff.truncated", "text", W.NOT_TOOL,
        r"\bmodel token limit .{0,20}exceeded\b|\bIncompleteToolCall\b|\breason='max_output_tokens'|\bMaxTokensReached"
        r"|\bIncompleteOutputException",
    ),
    # 6. what the model asked for
    Rule(
        "handoff.tool_args_invalid", "text", W.TOOL,
        r"unexpected keyword argument|missing \d+ required (?:positional|keyword)"
        r"|ToolInvocationError(?!: Failed to invoke)"
        r"|Error invoking tool\b|InvalidToolArguments|Action Input is not a valid key, value dictionary"
        r"|Invalid JSON input for tool|\d validation errors?(?: for\b|:)|\bInput validation error\b"
        r"|\bFailed to parse arguments|\bArgument parsing failed|\bargument .{0,60} has type .{0,60} but should be\b"
        r"|mandatory input parameters are not present|ToolInputParsing|Error parsing tool arguments"
        r"|\bis not in the tool's input schema|\bArgument \S{1,60} is required\b|\bAI_InvalidTool(?:Input|Arguments)",
    ),
    Rule("handoff.tool_args_invalid", "json-rpc", W.TOOL, status=("-32602",)),
    Rule(
        "handoff.action_unparseable", "text", W.ANY,
        r"AgentParsingError|code parsing failed|Error in code parsing|\bModelBehaviorError\b|Invalid JSON provided"
        r"|Could not parse (?:LLM )?output\b|Error while parsing tool call"
        r"|Parsing LLM output produced both|Invalid Format: Missing 'Action",
    ),
    Rule("handoff.action_unparseable", "finish", W.LLM, finish=("malformed_function_call",)),
    # 7. the tool call
    Rule("tool.rate_limited", "text", W.CALL, r"too many requests|\brate.?limit|RateLimit|ThrottlingException"),
    Rule("tool.rate_limited", "status", W.CALL, status=("429",)),
    Rule(
        "tool.timeout", "text", W.CALL,
        r"Timeout\b|TimeoutE|\btimed? ?out\b|ETIMEDOUT|DEADLINE_EXCEEDED|\bREQUEST_TIMEOUT\b",
    ),
    Rule("tool.timeout", "n8n", W.CALL, _N8N_ABORTED),
    Rule("tool.timeout", "status", W.CALL, status=("408", "504", "-32001")),
    Rule("tool.timeout", "mcp", W.OWN, r"Timed out while waiting for response to \w+Request"),
    Rule(
        "tool.auth", "text", W.CALL,
        r"\bunauthori[sz]ed\b|\b403 forbidden|\bAuthenticationError\b"
        r"|\bAccess(?: is)? ?denied\b"
        r"|Permission ?Denied|PERMISSION_DENIED\b|invalid (?:api key|credentials|\w+ token)|UNAUTHENTICATED\b"
        r"|does not have any credentials|(?<!\()\binvalid[_ ]token\b(?! \()",
    ),
    Rule("tool.auth", "status", W.CALL, status=("401", "403")),
    Rule("tool.not_found", "file", W.CALL, r"FileNotFoundError|No such file|ENOENT\b"),
    Rule(
        "tool.input_unsupported", "text", W.CALL,
        r"\b(?:formats?|file ?types?)\b.{0,80}\b(?:is|are)(?: simply)? not supported|UnsupportedFormat"
        r"|unsupported (?:file|media|format|mime)",
    ),
    Rule("tool.input_unsupported", "status", W.CALL, status=("415",)),
    Rule("tool.not_found", "text", W.CALL, r"404 Not Found|Unknown resource\b|Resource not found\b|\bNotFoundError\b"),
    Rule("tool.not_found", "status", W.CALL, status=("404", "410", "-32002")),
    Rule(
        "tool.unavailable", "text", W.CALL,
        r"connection (?:was )?(?:refused|reset|aborted|closed)|Connection ?(?:Error|Refused|Reset|Aborted)|ConnectError"
        r"|RemoteProtocolError|RemoteDisconnected|ECONNREFUSED|ECONNRESET|\bENOTFOUND\b|CONNECTION_CLOSED|\bunreachable\b"
        r"|\bservice (?:is )?(?:temporarily )?unavailable|\bServiceUnavailable"
        r"|Max retries exceeded with url|name resolution|\bbad gateway\b"
        r"|\bInternalServerError\b|Internal server error|refused the connection|Name or service not known|getaddrinfo"
        r"|\bSSLError\b|certificate verify failed|failed to connect\b|could not connect\b|StatusCode\.UNAVAILABLE"
        r"|database is locked|\bfetch failed\b",
    ),
    Rule("tool.unavailable", "status", W.CALL, status=("5xx", "-32000", "-32603")),
    Rule("tool.empty_result", "text", W.CALL, r"\bNo results (?:were )?found|\bno (?:matching )?documents found"),
    # 8. the workflow's own steps
    Rule(
        "recovery.deadline", "class", W.OWN,
        r"NodeTimeoutError|RunTimedOut|WorkflowTimeoutError|^(?:\w+\.)*TimeoutError\b|\bTimeoutExpired\b",
    ),
    Rule("recovery.deadline", "cancelled", W.ANY, r"^Cancelled(?:Error)?\b"),
    Rule(
        "state.missing", "class", W.OWN,
        r"^KeyError\b|EmptyChannelError|EmptyInputError|'NoneType' object|'NoneType' and '|' and 'NoneType'"
        r"|^AttributeError\b(?!: module )|Cannot read propert(?:y|ies) of (?:undefined|null)\b"
        r"|\b(?:undefined|null) is not an object\b",
    ),
    # 9. a form that does not fit, anywhere
    Rule("handoff.schema_invalid", "text", W.ANY, _SCHEMA),
    # 10. everything else inside a tool
    Rule("tool.error", "other", W.CALL, is_last_resort=True),
)  # fmt: skip
"""Our rules, strongest first; rules of the user come before them."""

_HTTP = re.compile(
    r"(?:\bstatus(?:[_ ]code)?|\berror(?: code)?|\bhttp(?:/\d(?:\.\d)?)?(?: status)?(?: code)?|\btoo many)"
    r"['\":=( ]{1,4}([45]\d\d)\b|^([45]\d\d)\b|\b([45]\d\d) (?:client|server) error\b"
    r"|\b(?:Client|Server|API)Error: ([45]\d\d)\b|\(([45]\d\d)\)\s+Reason:"
    r"|\b(4(?:00|01|03|04|08|15|29)|50[0-4]) (?:bad request|unauthorized|forbidden|not found|request timeout"
    r"|unsupported media|too many requests|internal server error|not implemented|bad gateway|service unavailable"
    r"|gateway time)",
    re.IGNORECASE,
)
_N8N_STATUS: Final = {
    "Bad request - please check your parameters": "400",
    "Authorization failed - please check your credentials": "401",
    "Payment required - perhaps check your payment details": "402",
    "Forbidden - perhaps check your credentials": "403",
    "The resource you are requesting could not be found": "404",
    "Method not allowed - please check you are using the right HTTP method": "405",
    "The service is receiving too many requests from you": "429",
    "The service was not able to process your request": "500",
    "Bad gateway - the service failed to handle your request": "502",
    "Service unavailable - try again later": "503",
    "Gateway timed out - perhaps try again later": "504",
}
"""n8n's words (NodeApiError) for HTTP statuses, which it does not give itself."""

_WORD = re.compile(r"[A-Za-z]+|\d{4,}")
_ESCAPES = re.compile(r"\\[a-zA-Z]|[\[\]]")
_JSON_RPC = re.compile(r"(?<![\w-])-32[0-7]\d\d\b")


class Said(NamedTuple):
    """What one span says about its failure: all that rules see of it."""

    where: Where
    text: str
    """Exception class: message."""
    finish: str = ""
    asked: tuple[str | None, ...] = ()
    """Values of the attributes that rules ask for (`Rules.asked`)."""


class Named(NamedTuple):
    """The answer of the rules."""

    code: Code
    rule_id: str | None
    """None: no rule fits."""
    contributing: tuple[str, ...] = ()
    """Codes of the other rules that fit, strongest first."""
    is_last_resort: bool = False
    """Only said because nothing closer fits."""


class Contract(NamedTuple):
    """A promise between two steps: where an input says this, the output must say that."""

    name: str
    step: re.Pattern[str] | None
    """Of which steps, by their whole name; None: of all."""
    asks: re.Pattern[str]
    needs: re.Pattern[str]


NAMELESS: Final = Named(UNCLASSIFIED, None)


class Rules:
    """Rules ready to be applied. Equal questions are answered once: in a storm all failures say the same."""

    def __init__(
        self,
        rows: Iterable[Rule] = RULES,
        codes: Sequence[Code] = (),
        effects: Iterable[str] = (),
        passing: UserRules | None = None,
        contracts: Iterable[Contract] = (),
    ) -> None:
        """Rules for one way of settling.

        Args:
            rows: strongest first.
            codes: codes of the user's own.
            effects: names of tools that have side effects.
            passing: from which score on a verdict passes.
            contracts: what must follow from an input.
        """
        self.passing = passing or UserRules()
        rows = tuple(rows)
        self.effects = frozenset(effects)
        self.contracts = tuple(contracts)
        self.asked = tuple(dict.fromkeys(row.attribute for row in rows if row.attribute))
        """Names of the span attributes that rules look at."""
        self._codes = {**BY_NAME, **{code.code: code for code in codes}}
        compiled = [(row, _pattern(row.says), _pattern(row.value)) for row in rows]
        self._at = {where: [entry for entry in compiled if where in entry[0].where] for where in Where}
        self.name = lru_cache(maxsize=4_096)(self._name)

    def code(self, name: str) -> Code:
        """The code of that name."""
        return self._codes[name]

    def known_words(self, text: str) -> str:
        """What our rules read in an error's text, and nothing else of it: by these words it is named as before.

        Where a pattern leaves room for words of any kind, an x stands for each.
        """
        said = []
        for row, says, _ in self._at[Where.TOOL]:
            found = says.search(text) if says is not None else None
            if found is not None:
                said.append(_masked(found[0], row.says))
        said += [found[0] for pattern in (_HTTP, _JSON_RPC) if (found := pattern.search(text)) is not None]
        return "; ".join(dict.fromkeys(said))

    def tells_failure(self, said: Said) -> bool:
        """Whether an attribute alone says that a span has failed which claims success."""
        asked = dict(zip(self.asked, said.asked, strict=False))
        return any(
            value is not None and _holds(value, asked.get(row.attribute))
            for row, _, value in self._at[said.where]
            if not (row.says or row.status or row.finish)
        )

    def _name(self, said: Said) -> Named:
        status = _status_of(said.text)
        asked = dict(zip(self.asked, said.asked, strict=False))
        fitting = [
            row
            for row, says, value in self._at[said.where]
            if (says is None or says.search(said.text))
            and (not row.status or status & {*row.status})
            and not status & {*row.not_status}
            and (not row.finish or said.finish.lower() in row.finish)
            and (value is None or _holds(value, asked.get(row.attribute)))
        ]
        if not fitting:
            return NAMELESS
        first = fitting[0]
        others = dict.fromkeys(row.code for row in fitting[1:] if row.code != first.code and not row.is_last_resort)
        return Named(self._codes[first.code], first.rule_id, tuple(others), first.is_last_resort)


def _masked(text: str, pattern: str) -> str:
    """The text, with an x for each word that does not stand in the pattern itself."""
    known = {word.lower() for word in _WORD.findall(_ESCAPES.sub(" ", pattern))}
    return _WORD.sub(lambda found: found[0] if found[0].lower() in known else "x", text)


def _pattern(text: str) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE | re.DOTALL) if text else None


def _holds(pattern: re.Pattern[str], value: str | None) -> bool:
    """Whether there is a value, and it fits: a pattern for what is missing in it says nothing of a span without it."""
    return value is not None and pattern.search(value) is not None


def _status_of(text: str) -> frozenset[str]:
    """HTTP status and JSON-RPC code that a text names, the status also as its class."""
    found = set(_JSON_RPC.findall(text))
    http = _HTTP.search(text)
    status = next(filter(None, http.groups())) if http is not None else None
    if text.startswith("NodeApiError"):
        status = next((status for words, status in _N8N_STATUS.items() if words in text), status)
    if status is not None:
        found |= {status, f"{status[0]}xx"}
    return frozenset(found)


OUR_RULES: Final = Rules()
