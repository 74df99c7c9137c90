"""n8n's own spans as recorded (2.41.1): one span for the execution, one sibling for each node."""

from typing import Any

from opentelemetry.trace import StatusCode

from demo_data.plan import PlannedEvent, PlannedSpan, Raised, Scope


def _fail(span: PlannedSpan, error: Raised, now_ns: int) -> None:
    """ERROR without a message, one exception event; the execution also says which error ended it."""
    span.status = StatusCode.ERROR
    attributes = {
        "exception.type": error.error_class,
        "exception.message": error.message,
        "exception.stacktrace": f"{error.error_class}: {error.message}\n{error.frame}",
    }
    span.events.append(PlannedEvent("exception", now_ns, attributes))
    if span.name == "workflow.execute":
        span.attributes["n8n.execution.status"] = "error"
        span.attributes["n8n.execution.error_type"] = error.error_class
    else:
        span.attributes["n8n.node.items.output"] = 0


SCOPE = Scope("n8n-workflow", None, StatusCode.OK, _fail)


def execution(workflow_id: str, name: str, version_id: str, nodes: int, execution_id: str) -> dict[str, Any]:
    """Attributes of the execution's span."""
    return {
        "n8n.workflow.id": workflow_id,
        "n8n.workflow.name": name,
        "n8n.workflow.version_id": version_id,
        "n8n.workflow.node_count": nodes,
        "n8n.execution.id": execution_id,
        "n8n.project.id": "dPwTagLOxaMkjI7a",
        "n8n.execution.mode": "webhook",
        "n8n.execution.status": "success",
        "n8n.execution.is_retry": False,
    }


def node(node_id: str, name: str, node_type: str, type_version: float, items: int) -> dict[str, Any]:
    """Attributes of a node's span."""
    return {
        "n8n.node.id": node_id,
        "n8n.node.name": name,
        "n8n.node.type": node_type,
        "n8n.node.type_version": type_version,
        "n8n.node.items.input": items,
        "n8n.node.items.output": 1,
    }
