"""Settings, clients and shared state: what is put together when the notifier starts."""

from services.notifier.app import SOURCES, Notifier
from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import NotifierSettings
from services.notifier.shared import Shared
from waybill import __version__
from waybill.alibaba.client import AlibabaClient
from waybill.clock import Clock
from waybill.owner import OwnerProcess
from waybill.streaming.registry import schema_lookup


def main() -> None:
    """Run until SIGTERM; exit code 0 after a clean stop, 70 after a fatal error."""
    settings = NotifierSettings()
    with OwnerProcess("notifier", settings, settings.group, SOURCES, "ledger") as process:
        metrics = NotifierMetrics(process.registry)
        clients = {
            site: AlibabaClient(configured.api, configured.app, observer=metrics)
            for site, configured in settings.sites.items()
        }
        for client in clients.values():
            process.on_close(client.aclose)
        shared = Shared(settings, Clock(), metrics, process.background, clients, __version__)
        if settings.registry_url:
            shared.codecs.book.use_registry(schema_lookup(settings.registry_url))
        process.run(Notifier(shared, process.folder))
