"""`waybill topics`: make the topics on a cluster, and check them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from waybill.cli.cluster import Cluster, unreachable
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError
from waybill.settings import KafkaSettings
from waybill.streaming import topic_admin
from waybill.streaming.schema_topic import SchemaTopicError
from waybill.streaming.topic_admin import ApplyReport, TopicError

app = typer.Typer(help="Make the topics on a cluster, and check them.", no_args_is_help=True)

Partitions = Annotated[
    int | None,
    typer.Option(
        "--partitions", min=1, help="Partitions per topic; default WAYBILL_KAFKA__PARTITIONS."
    ),
]


def _kafka(bootstrap: str | None, prefix: str | None, partitions: int | None) -> KafkaSettings:
    found = kafka(bootstrap, prefix)
    return found.model_copy(update={"partitions": partitions}) if partitions else found


@app.command()
def apply(
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    replication: Annotated[
        int | None,
        typer.Option(
            "--replication",
            min=1,
            help="Replicas; default WAYBILL_KAFKA__REPLICATION; 3 on a cluster.",
        ),
    ] = None,
) -> None:
    """Create missing topics, alter settings that differ, publish this release's schemas.

    May be run again at any time; deletes nothing and never changes a partition count.
    """
    wanted = _kafka(bootstrap, topic_prefix, partitions)
    cluster = Cluster(wanted)
    with _failures_told(cluster):
        report = topic_admin.apply(
            cluster.config(),
            wanted.topic_prefix,
            wanted.partitions,
            replication or wanted.replication,
        )
    _print(report)


@contextmanager
def _failures_told(cluster: Cluster) -> Iterator[None]:
    try:
        yield
    except (TopicError, SchemaTopicError) as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(unreachable(cluster.address, error)) from error


def _print(report: ApplyReport) -> None:
    for name in report.created:
        typer.echo(f"created {name}")
    for name, changed in report.altered.items():
        settings = ", ".join(f"{setting}={value}" for setting, value in changed.items())
        typer.echo(f"altered {name}: {settings}")
    if report.schemas:
        typer.echo(f"published {len(report.schemas)} schemas: {', '.join(report.schemas)}")
    if report == ApplyReport():
        typer.echo("nothing to do: all topics and schemas are there")


@app.command()
def check(
    bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None, partitions: Partitions = None
) -> None:
    """Tell everything that is wrong with topics and cluster; exit 1 when services must not run."""
    wanted = _kafka(bootstrap, topic_prefix, partitions)
    cluster = Cluster(wanted)
    with _failures_told(cluster):
        found = topic_admin.check(cluster.config(), wanted.topic_prefix, wanted.partitions)
    for problem in found:
        typer.echo(str(problem), err=problem.level == "error")
    if any(problem.level == "error" for problem in found):
        raise typer.Exit(1)
    typer.echo("the topics are as they should be" if not found else "no errors")
