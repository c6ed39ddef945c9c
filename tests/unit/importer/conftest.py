"""An order's answers, a store, and how to read one for the other."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from services.importer.normalise import Draft, normalise
from services.importer.settings import ImporterSettings
from tests.unit.importer.answers import FUNDS, NOW, ORDER, STORE
from waybill.contracts.order import Order
from waybill.contracts.store import Store


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def settings() -> ImporterSettings:
    return ImporterSettings()


@pytest.fixture
def payload() -> dict[str, Any]:
    """An order with one line, ready to be shipped."""
    return deepcopy(ORDER)


@pytest.fixture
def funds() -> dict[str, Any]:
    """An advance by bank transfer and the balance by card."""
    return deepcopy(FUNDS)


@pytest.fixture
def store() -> Store:
    return STORE


@pytest.fixture
def read(store: Store) -> Callable[..., Order]:
    """Normalise an answer that is no draft."""

    def read_order(
        answer: dict[str, Any], *, payments: dict[str, Any] | None = None, of: Store = store
    ) -> Order:
        order = normalise(answer, payments=payments, site="alibaba", store=of, imported_at=NOW)
        assert not isinstance(order, Draft)
        return order

    return read_order
