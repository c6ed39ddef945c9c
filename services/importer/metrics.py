"""What the importer tells Prometheus."""

from services.importer.changes import Skip
from waybill.contracts.order import OrderStatus
from waybill.metrics import Registry


class ImporterMetrics:
    """All metrics of the import."""

    def __init__(self, registry: Registry) -> None:
        self.published = registry.counter(
            "waybill_orders_published_total", "Changed orders published.", ("status",)
        )
        self.held = registry.counter(
            "waybill_orders_held_total", "Published orders that cannot be shipped yet.", ("reason",)
        )
        self.skipped = registry.counter(
            "waybill_orders_skipped_total", "Readings that changed nothing.", ("reason",)
        )
        self.unreadable = registry.counter(
            "waybill_orders_unreadable_total", "Orders whose number, status or time cannot be read."
        )
        self.masked = registry.counter(
            "waybill_orders_masked_total", "Listed orders whose number is masked by the site."
        )
        self.failed = registry.counter(
            "waybill_import_failures_total", "Import tasks that failed.", ("outcome",)
        )
        self.hints = registry.counter(
            "waybill_order_hints_total", "Hints by what became of them.", ("result",)
        )
        self.owed = registry.counter(
            "waybill_orders_owed_total",
            "Listed orders that the site did not give; they are tried again until it does.",
        )
        self.enrichments = registry.counter(
            "waybill_enrichments_total",
            "Enrichment records by what became of them.",
            ("result",),
        )
        self.windows = registry.counter(
            "waybill_import_windows_total", "Windows read to their end."
        )
        self.cursor = registry.gauge(
            "waybill_import_cursor_timestamp_seconds",
            "Up to when all changes of the slowest store are published.",
        )
        self.calls = registry.counter(
            "waybill_api_requests_total", "Calls to Alibaba by their end.", ("operation", "outcome")
        )
        self.call_seconds = registry.histogram(
            "waybill_api_request_seconds", "Duration of calls to Alibaba.", ("operation",)
        )
        self.refreshes = registry.counter(
            "waybill_token_refreshes_total", "Refreshes of tokens by their end.", ("outcome",)
        )
        self.needing_reauth = registry.gauge(
            "waybill_stores_needing_reauth",
            "Stores whose tokens have ended: their seller has to connect them again.",
        )
        self.authorisation_left = registry.gauge(
            "waybill_store_authorisation_left_seconds",
            "Until the store's seller has to connect it again; absent where no end is known.",
            ("store_id",),
        )
        self.dead_letters = registry.counter(
            "waybill_dead_letters_total", "Records that nobody could read.", ("reason",)
        )
        for status in OrderStatus:
            self.published.labels(status.value)
        self.refreshes.labels("ok")
        for result in ("taken", "older", "forwarded", "unreadable"):
            self.enrichments.labels(result)
        for skip in Skip:
            self.skipped.labels(skip.name.lower())

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        """A call ended; see `waybill.alibaba.client.CallObserver`."""
        self.calls.labels(operation, outcome).inc()
        self.call_seconds.labels(operation).observe(seconds)
