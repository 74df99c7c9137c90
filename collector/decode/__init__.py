"""Request bodies to records. Protobuf and JSON of the same request give identical records."""

from collector.decode.otlp_json import decode_json, decode_logs_json
from collector.decode.otlp_protobuf import decode_logs_protobuf, decode_protobuf

__all__ = ["decode_json", "decode_logs_json", "decode_logs_protobuf", "decode_protobuf"]
