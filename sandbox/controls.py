"""The admin calls that change how the sandbox behaves: faults, settings, push messages.

See the package's docstring. Nothing of this outlives the process.
"""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import errors
from sandbox.adminjson import Body, reply
from sandbox.faults import SPECS, Active, Faults, Spec
from sandbox.gateway import Gateway
from sandbox.push import Push, PushOptions, SendMessage
from sandbox.settings import LIVE
from sandbox.world import World


class Lenient(Body):
    """Body of ``PUT /admin/lenient``."""

    lenient: bool


class Controls:
    """The calls of this part of the admin API."""

    def __init__(self, world: World, faults: Faults, gateway: Gateway, push: Push) -> None:
        self._world = world
        self._faults = faults
        self._gateway = gateway
        self._push = push

    def routes(self) -> list[Route]:
        """All routes, to be mounted at the root."""
        return [
            Route("/admin/errors", self.list_errors),
            Route("/admin/faults", self.list_faults, methods=["GET"]),
            Route("/admin/faults", self.add_faults, methods=["POST"]),
            Route("/admin/faults", self.clear_faults, methods=["DELETE"]),
            Route("/admin/faults/{fault:int}", self.remove_fault, methods=["DELETE"]),
            Route("/admin/lenient", self.set_lenient, methods=["PUT"]),
            Route("/admin/settings", self.show_settings, methods=["GET"]),
            Route("/admin/settings", self.change_settings, methods=["PATCH"]),
            Route("/admin/push", self.show_push, methods=["GET"]),
            Route("/admin/push", self.set_push, methods=["PUT"]),
            Route("/admin/push/send", self.send_push, methods=["POST"]),
        ]

    async def list_errors(self, _request: Request) -> Response:
        """Every error that can be asked for by name, in both forms."""
        return reply({"errors": errors.table("0b1")})

    async def list_faults(self, _request: Request) -> Response:
        """The faults in force."""
        return reply({"faults": [_fault_row(active) for active in self._faults.active()]})

    async def add_faults(self, request: Request) -> Response:
        """One fault, or a list of them."""
        body = await request.body()
        specs = SPECS.validate_json(body if body.lstrip().startswith(b"[") else b"[%b]" % body)
        for spec in specs:
            self._can_hit(spec)
        try:
            added = [self._faults.add(spec) for spec in specs]
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        return reply({"faults": [_fault_row(active) for active in added]}, 201)

    async def clear_faults(self, _request: Request) -> Response:
        """End all faults."""
        self._faults.clear()
        return reply({"faults": []})

    async def remove_fault(self, request: Request) -> Response:
        """End one fault."""
        if not self._faults.remove(request.path_params["fault"]):
            raise HTTPException(404, "no such fault in force")
        return await self.list_faults(request)

    async def set_lenient(self, request: Request) -> Response:
        """Accept every shipment from now on, or not."""
        self._world.lenient = Lenient.model_validate_json(await request.body()).lenient
        return reply({"lenient": self._world.lenient})

    async def show_settings(self, _request: Request) -> Response:
        """The settings that can be changed, as they are."""
        return reply(self._world.settings.model_dump(mode="json", include=set(LIVE)))

    async def change_settings(self, request: Request) -> Response:
        """Change some of them."""
        try:
            changes = orjson.loads(await request.body())
        except orjson.JSONDecodeError as error:
            raise HTTPException(400, "the body is not JSON") from error
        if not isinstance(changes, dict):
            raise HTTPException(422, "the body is not an object")
        fixed = sorted(changes.keys() - LIVE)
        if fixed:
            can = ", ".join(sorted(LIVE))
            raise HTTPException(422, f"{', '.join(fixed)} cannot be changed; what can: {can}")
        self._world.change(self._world.settings.changed(changes))
        return await self.show_settings(request)

    async def show_push(self, _request: Request) -> Response:
        """Where messages go and how, what became of them, and the last attempts."""
        push = self._push
        return reply(
            {
                **push.options.model_dump(),
                "stopped": push.stopped,
                "waiting": push.waiting,
                "totals": asdict(push.totals),
                "attempts": [asdict(attempt) for attempt in push.attempts],
            }
        )

    async def set_push(self, request: Request) -> Response:
        """Where messages go, and how; pushing that had stopped begins again."""
        self._push.set(PushOptions.model_validate_json(await request.body()))
        return reply(self._push.options.model_dump())

    async def send_push(self, request: Request) -> Response:
        """Send one message now and tell what the receiver said."""
        wish = SendMessage.model_validate_json(await request.body())
        order = None if wish.trade_id is None else self._world.orders.by_id.get(wish.trade_id)
        if order is None and wish.raw is None:
            raise HTTPException(404, "no order has this trade id")
        if wish.url is None and self._push.options.url is None:
            raise HTTPException(409, "no url is given, and none is set")
        body, attempts = await self._push.send(wish, order)
        answers = [{"status": attempt.status, "ms": attempt.ms} for attempt in attempts]
        return reply({**answers[-1], "body": body[:10_000].decode(), "answers": answers})

    def _can_hit(self, spec: Spec) -> None:
        if spec.seller is not None and spec.seller not in self._world.sellers:
            raise HTTPException(404, f"no store has the id {spec.seller[:40]}")
        paths = self._gateway.paths
        if spec.path is not None and not any(fnmatchcase(path, spec.path) for path in paths):
            raise HTTPException(422, f"path matches none of {', '.join(paths)}")


def _fault_row(active: Active) -> dict[str, Any]:
    return {"id": active.id, "hits": active.hits, "left": active.left, **active.spec.model_dump()}
