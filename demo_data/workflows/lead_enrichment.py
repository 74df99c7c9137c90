"""lead_enrichment: an n8n automation, seen by n8n's own spans: a webhook brings a lead, nodes enrich and route it."""

from hashlib import sha256
from typing import NamedTuple

from demo_data.dialects import n8n
from demo_data.errors import Sdk, raised
from demo_data.faults import Shows, Variant
from demo_data.plan import MS, Case, Raised, RunPlan, Script, Service

NAME = "lead_enrichment"
RAISES = (Shows.TOOL_RAISES, Shows.MODEL_RAISES, Shows.STEP_RAISES)
TIMEOUT_S = 30.0


class Node(NamedTuple):
    """One node of the automation."""

    name: str
    node_type: str
    type_version: float
    median_ms: float


NODES = (
    Node("Lead webhook", "n8n-nodes-base.webhook", 2, 2),
    Node("Normalize", "n8n-nodes-base.set", 3.4, 3),
    Node("Find company", "n8n-nodes-base.httpRequest", 4.2, 310),
    Node("Score lead", "@n8n/n8n-nodes-langchain.openAi", 1.8, 1_450),
    Node("Route lead", "n8n-nodes-base.code", 2, 9),
    Node("Update CRM", "n8n-nodes-base.httpRequest", 4.2, 240),
    Node("Notify sales", "n8n-nodes-base.slack", 2.3, 180),
)
INSTANCE = sha256(NAME.encode()).hexdigest()
RESOURCE = (
    ("host.name", "automation-1"),
    ("host.arch", "amd64"),
    ("process.runtime.name", "nodejs"),
    ("process.runtime.version", "24.21.0"),
    ("n8n.instance.id", INSTANCE),
    ("n8n.instance.role", "main"),
)


def plan(case: Case) -> RunPlan:
    """One lead through the automation."""
    service = Service("n8n", "2.41.1", case.environment, extra=RESOURCE, python=False)
    script = Script(case, NAME, service)
    script.now_ns -= script.now_ns % MS  # n8n's clock reads milliseconds
    version_id = sha256(f"{NAME}/{case.version}".encode()).hexdigest()
    # Counts up as n8n's execution ids do, and differs between runs of one instance.
    execution_id = str(case.start_ns // MS - 1_600_000_000_000)
    attributes = n8n.execution("wfLeads7", NAME, version_id[:36], len(NODES), execution_id)
    try:
        with script.span("workflow.execute", n8n.SCOPE, attributes):
            script.wait(6)
            for index, node in enumerate(NODES):
                _play(script, node, items=min(index, 1))
    except Raised as error:
        script.blame(error.origin, Variant.LOUD)
    return script.finish()


def _play(script: Script, node: Node, items: int) -> None:
    node_id = node.name.lower().replace(" ", "-")
    attributes = n8n.node(node_id, node.name, node.node_type, node.type_version, items)
    script.wait(1)
    with script.span("node.execute", n8n.SCOPE, attributes):
        script.wait(node.median_ms, spread=0.45)
        if script.strikes(node.name, Shows.SLOW_RETRY):
            script.pause(2.0 + script.rng.uniform(0.3, 1.2))
        if any(script.strikes(node.name, shows) for shows in RAISES):
            code = script.case.fault.code or ""
            script.pause(TIMEOUT_S if code == "component.timeout" else 0.0)
            raise raised(Sdk.N8N, code, script.rng)
