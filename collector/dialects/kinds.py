"""Step kinds as plain text: reading an enum member costs three times as much, and every span reads a dozen."""

from schemas.taxonomy import StepKind

LLM = StepKind.LLM.value
TOOL = StepKind.TOOL.value
AGENT = StepKind.AGENT.value
CHAIN = StepKind.CHAIN.value
WORKFLOW = StepKind.WORKFLOW.value
RETRIEVAL = StepKind.RETRIEVAL.value
HANDOFF = StepKind.HANDOFF.value
GUARDRAIL = StepKind.GUARDRAIL.value
EVALUATOR = StepKind.EVALUATOR.value
SETUP = StepKind.SETUP.value
PROTOCOL = StepKind.PROTOCOL.value
TRANSPORT = StepKind.TRANSPORT.value
