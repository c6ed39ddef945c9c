"""Each test of this folder runs on the model and on a real broker."""

from collections.abc import Iterator

import pytest

from tests.conformance.rigs import KafkaRig, ModelRig, Rig
from tests.kafka import TopicSpace
from waybill import broker
from waybill.broker import launch
from waybill.broker.files import BrokerFiles, BrokerState

EXPIRY_MS = 4_000
"""Longer than any step of a test, which may be interrupted on a busy machine; 7 days by default."""

BOTH = ["model", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(params=BOTH)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "model":
        yield ModelRig()
        return
    real = KafkaRig(request.getfixturevalue("topic_space"))
    yield real
    real.close()


@pytest.fixture(params=BOTH)
def forgetful_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Its broker forgets transactional ids after seconds without use."""
    if request.param == "model":
        yield ModelRig()
        return
    bootstrap = request.getfixturevalue("forgetful_bootstrap")
    space = TopicSpace(bootstrap, request.getfixturevalue("topic_prefix"))
    real = KafkaRig(space)
    yield real
    real.close()
    space.delete_all()


@pytest.fixture(scope="module")
def forgetful_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker of its own: what it is to forget cannot be set while it runs."""
    folder = tmp_path_factory.mktemp("forgetful")
    usual = launch.server_properties

    def forgetful(base: str, files: BrokerFiles, state: BrokerState) -> str:
        own = {
            "transactional.id.expiration.ms": EXPIRY_MS,
            "transaction.remove.expired.transaction.cleanup.interval.ms": 200,
        }
        return usual(base, files, state) + "".join(f"{name}={own[name]}\n" for name in own)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(launch, "server_properties", forgetful)
        handle = broker.start(folder)
    yield handle.bootstrap
    broker.stop(folder)
