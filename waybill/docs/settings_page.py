"""docs/settings.md, from the settings models."""

from collections.abc import Collection, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from services.importer.shared import ImporterServiceSettings
from services.notifier.settings import NotifierSettings
from services.proofgen.settings import ProofgenSettings
from waybill.alibaba.gateways import defaults
from waybill.alibaba.settings import AlibabaSettings
from waybill.docs.markdown import page, table
from waybill.settings import Settings

_OTHERS = ("sync", "top")
_INTRO = """\
Environment variables, or lines of the file that `WAYBILL_ENV_FILE` names. A setting inside another one is
joined with `__`. `WAYBILL_SITES` is JSON, one entry per site:
`{"alibaba": {"app": {"app_key": "…", "app_secret": "…"}}}`; hosts, paths and limits of a site's API stand
beside `app` under `api`, with defaults for Alibaba.com: the last section."""

_API = """\
`{"alibaba": {"app": {…}, "api": {"page_size": 100, "rate_limit": {"start_per_s": 5}}}}`. There is no account
to try Alibaba's API with, so everything that could turn out to be different is a setting. `gateway` chooses
among the three ways to reach it and changes only defaults; [more](alibaba.md)."""


def render() -> str:
    """The page."""
    common = set(Settings.model_fields)
    sections: list[tuple[str, type[BaseModel], Collection[str]]] = [
        ("All services", Settings, ()),
        ("importer", ImporterServiceSettings, common),
        ("notifier", NotifierSettings, common),
        ("proofgen", ProofgenSettings, common),
    ]
    return page("Settings", _INTRO, *_blocks(sections))


def _blocks(sections: list[tuple[str, type[BaseModel], Collection[str]]]) -> Iterator[str]:
    for title, model, left_out in sections:
        yield f"## {title}"
        yield table(("variable", "default", "meaning"), _rows("WAYBILL_", model, left_out))
    yield "## The API of a site"
    yield _API
    yield table(
        ("name", "default", *(f"with `{name}`" for name in _OTHERS), "meaning"),
        _api_rows("", AlibabaSettings),
    )


def _api_rows(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        inner = _model_of(field)
        if inner is not None:
            yield from _api_rows(f"{prefix}{name}.", inner)
            continue
        others = (defaults(gateway).get(name) if not prefix else None for gateway in _OTHERS)
        words = " ".join((field.description or "").replace("``", "`").split())
        yield f"`{prefix}{name}`", _as_json(field.default), *map(_as_json, others), words


def _as_json(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, frozenset):
        value = sorted(value)
    return f"`{to_json(value, serialize_unknown=True).decode()}`"


def _rows(
    prefix: str, model: type[BaseModel], left_out: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if name in left_out:
            continue
        inner = _model_of(field)
        if inner is not None:
            yield from _rows(f"{prefix}{name.upper()}__", inner)
        else:
            yield f"`{prefix}{name.upper()}`", _default(field), field.description or ""


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    candidates: tuple[Any, ...] = (field.annotation, *get_args(field.annotation))
    models = [one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)]
    is_map = isinstance(field.annotation, type) or not get_args(field.annotation)
    return models[0] if models and is_map else None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "" if field.default_factory is dict else "half of the cores"
    return "" if field.default is None or field.default == "" else f"`{field.default}`"
