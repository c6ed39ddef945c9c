"""Settings, clients and shared state: what is put together when the importer starts."""

from services.importer.app import SOURCES, Importer
from services.importer.metrics import ImporterMetrics
from services.importer.shared import ImporterServiceSettings, Shared
from waybill.alibaba.client import AlibabaClient
from waybill.clock import Clock
from waybill.owner import OwnerProcess
from waybill.push import push_endpoint


def main() -> None:
    """Run until SIGTERM; exit code 0 after a clean stop, 70 after a fatal error."""
    settings = ImporterServiceSettings()
    with OwnerProcess("importer", settings, settings.group, SOURCES, "stores") as process:
        metrics = ImporterMetrics(process.registry)
        clients = {
            site: AlibabaClient(configured.api, configured.app, observer=metrics)
            for site, configured in settings.sites.items()
        }
        for client in clients.values():
            process.on_close(client.aclose)
        shared = Shared(settings, Clock(), metrics, process.background, clients)
        push = push_endpoint(settings.push, settings.kafka, settings.sites, process.registry)
        with push as clients_beside:
            process.run(Importer(shared, process.folder), clients_beside)
