"""Vector stores (OpenLLMetry's Pinecone, Chroma, … and anything with db.* attributes) and other databases."""

from collector.dialects.common import GENAI
from collector.dialects.content import read_input, read_output
from collector.dialects.draft import NAME_LIMIT, Draft, name_of, pick
from collector.dialects.errors import read_failure
from collector.dialects.kinds import RETRIEVAL, TRANSPORT
from schemas.records import Attributes, Span

VECTOR_STORES = frozenset(
    {
        "pinecone",
        "chroma",
        "chromadb",
        "weaviate",
        "qdrant",
        "milvus",
        "lancedb",
        "marqo",
        "pgvector",
        "vespa",
        "turbopuffer",
    }
)
INPUTS = ("db.query.text", "db.statement", "pinecone.query.filter", *GENAI.inputs)
OUTPUTS = GENAI.outputs


def read(span: Span, attributes: Attributes, draft: Draft) -> None:
    """One database call: a look-up where the database is a vector store, else how work travelled."""
    system = pick(draft, "provider", attributes, ("db.system.name", "db.system"))
    vendor = (system or span.name.partition(".")[0]).lower()
    draft.step_kind = RETRIEVAL if vendor in VECTOR_STORES else TRANSPORT
    draft.provider = vendor[:NAME_LIMIT] if system else None
    name = span.name
    if draft.step_kind == RETRIEVAL and name.lower().startswith(vendor + "."):
        name = name[len(vendor) + 1 :]
    draft.step_name = name_of(name) or "query"
    read_failure(span, attributes, draft)
    read_input(draft, attributes, INPUTS)
    read_output(draft, attributes, OUTPUTS)
    if draft.output_key is None:
        results = [event for event in span.events if event.name == "db.query.result"]
        if results:
            draft.output_key = "event:db.query.result"
            draft.output_kind = "json"
    if draft.input_key is None and any(event.name == "db.query.embeddings" for event in span.events):
        draft.input_key = "event:db.query.embeddings"
