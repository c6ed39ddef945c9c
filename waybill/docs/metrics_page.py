"""docs/metrics.md, from the metrics as the services declare them."""

from services.importer.metrics import ImporterMetrics
from services.notifier.metrics import NotifierMetrics
from services.proofgen.metrics import ProofgenMetrics
from waybill.docs.markdown import page, table
from waybill.metrics import Declared, Registry
from waybill.push.metrics import PushMetrics
from waybill.streaming.metrics import RuntimeMetrics

_INTRO = """\
Each service serves these at `/metrics`; names and labels are an interface, and a change of them is in the
changelog. Labels come from closed lists: never an order, a shipment or a text from outside. Beside them
stand the process metrics of the Prometheus client.

Watch `waybill_shipment_age_seconds` and `waybill_last_confirmed_timestamp_seconds` for how the shop is doing:
consumer lag only tells how far the intake is, since shipments are taken in at once and the calls follow."""


def render() -> str:
    """The page."""
    runtime, importer, notifier, proofgen = Registry(), Registry(), Registry(), Registry()
    push = Registry()
    RuntimeMetrics(runtime)
    ImporterMetrics(importer)
    NotifierMetrics(notifier)
    PushMetrics(push)
    ProofgenMetrics(proofgen)
    return page(
        "Metrics",
        _INTRO,
        *_section("importer and notifier: the runtime", runtime),
        *_section("importer", importer),
        *_section("importer: the push endpoint, if it has a port", push),
        *_section("notifier", notifier),
        *_section("proofgen", proofgen),
    )


def _section(title: str, registry: Registry) -> tuple[str, str]:
    return f"## {title}", table(
        ("metric", "kind", "labels", "meaning"), map(_row, registry.declared)
    )


def _row(metric: Declared) -> tuple[str, str, str, str]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"`{metric.name}`", metric.kind, labels, metric.about
