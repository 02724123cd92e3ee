"""Prometheus metrics. The packet path only adds to plain ints; they are read here, at the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Reading = tuple[str, str, float]
"""``(name, help, value)``; a name that ends in ``_total`` is a counter, any other a gauge."""


class Metrics:
    """All metrics of one node.

    Attributes:
        access: seconds from the floor request's arrival to its answer, by outcome (KPI 1 as the server sees it).
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.access = Histogram(
            "poc_floor_access_seconds",
            "Floor request received to answer written, by outcome",
            ["outcome"],
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0),
            registry=self.registry,
        )
        self._readers: list[Callable[[], Iterable[Reading]]] = []
        self.registry.register(self)

    def read_from(self, reader: Callable[[], Iterable[Reading]]) -> None:
        """Let ``reader`` be asked for its values at every scrape."""
        self._readers.append(reader)

    def collect(self) -> Iterable[Metric]:
        """Called by prometheus_client."""
        for reader in self._readers:
            for name, text, value in reader():
                kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                yield kind(name, text, value=value)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)
