"""The package's docstring is the reference of the sandbox: nothing may be missing there."""

import re
from pathlib import Path
from typing import get_args

import pytest

import sandbox
from sandbox.errors import CATALOGUE
from sandbox.faults import Spec
from sandbox.methods import endpoints
from sandbox.push import PushOptions, SendMessage
from sandbox.server import Sandbox
from sandbox.settings import LIVE, Settings

TEXT = sandbox.__doc__ or ""
PAGE = Path(sandbox.__file__).parents[1].joinpath("docs/sandbox.md").read_text("utf-8")


def test_every_setting_that_can_change_is_described_and_exists() -> None:
    assert set(Settings.model_fields) >= LIVE
    assert {name for name in LIVE if f"``{name}``" not in TEXT} == set()


def test_every_fault_is_described_with_its_fields() -> None:
    common = {"kind", "path", "seller", "probability", "times"}
    for spec in get_args(get_args(Spec)[0]):
        kind = spec.model_fields["kind"].default
        assert f"\n{kind} " in TEXT, kind
        for field in spec.model_fields.keys() - common:
            assert re.search(rf"\b{field}\b", TEXT), f"{kind}: {field}"


@pytest.mark.parametrize("options", [PushOptions, SendMessage])
def test_every_option_of_push_is_described(
    options: type[PushOptions] | type[SendMessage],
) -> None:
    assert {name for name in options.model_fields if f'"{name}"' not in TEXT} == set()


def test_every_address_of_the_admin_api_is_described(tmp_path: Path) -> None:
    running = Sandbox(Settings(data_dir=tmp_path, stores=1, orders_per_store=0))
    try:
        known = endpoints(running.world)
        paths = {route.path for route in running.routes}
    finally:
        running.world.close()
    assert {path for path in known if path.startswith("/") and path not in TEXT} == set()
    plain = {re.sub(r":int", "", path).replace("{fault}", "{id}") for path in paths}
    assert {path for path in plain if path not in TEXT} == set()


def test_the_page_for_users_names_what_exists() -> None:
    for name in re.findall(r'"kind": "(\w+)"', PAGE):
        assert f"\n{name} " in TEXT
    for name in re.findall(r'"name": "(\w+)"', PAGE):
        assert name in CATALOGUE
    for name in re.findall(r"/admin/settings -d '\{\"(\w+)\"", PAGE):
        assert name in LIVE
