"""Transport: OTLP/gRPC and OTLP/HTTP up to the inflated body of a request, and the answers to it."""

from collector.receive.binding import CannotListen, check_exposure
from collector.receive.grpc import GrpcServer, start_grpc
from collector.receive.http import HttpServer, http_app, start_http
from collector.receive.port import Ingest

__all__ = [
    "CannotListen",
    "GrpcServer",
    "HttpServer",
    "Ingest",
    "check_exposure",
    "http_app",
    "start_grpc",
    "start_http",
]
