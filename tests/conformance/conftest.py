"""Each test of this folder runs on the model and on a real broker."""

from collections.abc import Iterator

import pytest

from tests.conformance.rigs import KafkaRig, ModelRig, Rig


@pytest.fixture(params=["model", pytest.param("kafka", marks=pytest.mark.kafka)])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "model":
        yield ModelRig()
        return
    real = KafkaRig(request.getfixturevalue("topic_space"))
    yield real
    real.close()
