"""Request bodies to records. Protobuf and JSON of the same request give identical records."""

from collector.decode.otlp_json import decode_json
from collector.decode.otlp_protobuf import decode_protobuf

__all__ = ["decode_json", "decode_protobuf"]
