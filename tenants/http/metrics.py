"""Counts and times of requests for Prometheus, at /metrics."""

import os

from flask import Flask, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUESTS = Counter("freehold_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "freehold_request_seconds", "Time from request to answer.", ("method", "route"), buckets=BUCKETS
)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. Routes are patterns, so the number of series is bounded."""
    known = method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "OTHER"
    REQUESTS.labels(known, route, str(status)).inc()
    SECONDS.labels(known, route).observe(seconds)


def register(app: Flask) -> None:
    """Serve /metrics; with PROMETHEUS_MULTIPROC_DIR set, the sums over all web processes."""

    def show() -> Response:
        registry = REGISTRY
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", "metrics", show)
