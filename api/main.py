"""The HTTP application over a house: addresses, problems, limits, health, and the OpenAPI document."""

from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.concurrency import run_in_threadpool
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api import commands, files, lookup, notices, persons, problems, signing
from api.document import document
from api.evidence import routes as evidence_routes
from api.house import House
from api.ledger import routes as ledger
from api.limits import Application, Limits, Message, Receive, Send
from api.pages import rendering
from api.pages import routes as pages
from api.pages.front import PageFront
from api.pages.rendering import Renderer
from api.pages.words import Language
from api.printing import routes as documents
from api.rehearsal import routes as rehearsals
from api.status import answers as status
from api.status import lists as status_list
from api.status.hot_path import HotPath
from api.status.rate import RateLimit
from api.trail import routes as trail_routes
from api.trail.questions import Trail
from projections.engine import SQL as ENGINE_SQL
from projections.gatherer import Gatherer


class Service(FastAPI):
    """The application, and in front of it, before anything of a framework runs, what nearly everybody asks."""

    front: Application | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Every request comes to the front, HEAD as GET without a body; the front passes on what is not for it."""
        if scope.get("method") == "HEAD":
            scope, send = scope | {"method": "GET"}, _without_body(send)
        await (self.front or super().__call__)(scope, receive, send)


def _without_body(send: Send) -> Send:
    """RFC 9110, 9.3.2: the same head as to GET, and nothing after it."""

    async def head_alone(message: Message) -> None:
        await send(message | {"body": b""} if message["type"] == "http.response.body" else message)

    return head_alone


def application(house: House) -> Service:
    """The application; it starts and stops nothing. A register that has no signing key gets its first."""
    for signer in house.publishing.signers:
        signer.begin()
    house.persons.personal.look_for_master_key()
    app = Service(
        title="certlife",
        version="0.1.0",
        summary="Certificates of a certification body: what they are now, what happened, who decided.",
        docs_url="/docs",
        redoc_url=None,
    )
    problems.install(app)
    settings = house.settings
    issuer: dict[Language, str] = {"zh": settings.issuer_zh, "en": settings.issuer_en}
    renderer = Renderer(settings.public_address, issuer, simulation=house.simulation)
    app.include_router(commands.router(house.register))
    app.include_router(persons.router(house.persons))
    app.include_router(status.router(house.status))
    app.include_router(signing.router(house.publishing.signers))
    app.include_router(status_list.router(house.publishing.lists))
    app.include_router(lookup.router(house.questions))
    app.include_router(trail_routes.router(Trail(house.questions)))
    app.include_router(pages.router(house.status, house.publishing.signer, renderer, settings.complain_at))
    app.include_router(rendering.router())
    app.include_router(documents.router(house.documents))
    kept = files.Files(house.questions)
    app.include_router(files.router(kept))
    app.include_router(notices.router(notices.Notices(house.documents, kept)))
    app.include_router(ledger.router(house.checkpoints))
    app.include_router(evidence_routes.router(house.evidence))
    app.include_router(rehearsals.router(house.register, house.runner))
    _health(app, house)
    app.openapi = lambda: document(app)
    app.add_middleware(Limits)
    app.front = _front(super(Service, app).__call__, house, renderer)
    return app


def _front(app: Application, house: House, renderer: Renderer) -> Application:
    """What every request comes to first, from the outside in: whose it is, whether it asks too often, the hot path.

    Between the first two, what would be refused to a reader of pages becomes a page.
    """
    hot = HotPath(app, house.status, Gatherer(house.addresses.service, house.present))
    limited = PageFront(RateLimit(hot, house.settings.status_per_minute), renderer)
    proxies = house.settings.trusted_proxies
    return ProxyHeadersMiddleware(limited, proxies) if proxies else limited


def _health(app: FastAPI, house: House) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """The process lives. Asks nothing of the database."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], response_model=None)
    async def readyz(request: Request) -> Response:
        """The database answers, and the ledger agrees with what was signed; where the register and its projections
        stand, and the present of a simulation."""
        if house.checkpoints.problem is not None:
            return problems.refused(request, house.checkpoints.problem)
        return await run_in_threadpool(_ready, house)

    @app.get("/metrics", tags=["health"], response_model=None)
    async def metrics() -> Response:
        """Positions, lag and quarantine, for Prometheus."""
        return await run_in_threadpool(_metrics, house)


def _ready(house: House) -> Response:
    state = _state(house)
    body = {"status": "ready", "kind": house.kind, "simulation": house.simulation, **state}
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})


def _state(house: House) -> dict[str, Any]:
    last = house.register.recorder.last_event()
    with house.register.recorder.connection() as connection:
        rows = connection.execute(ENGINE_SQL["select_positions"]).fetchall()
        quarantined = connection.execute(ENGINE_SQL["select_quarantine"]).fetchall()
    return {
        "now": house.questions.now(),
        "last_position": last[0] if last else 0,
        "projections": {
            name: {"position": position, "complete_until": complete_until} for name, position, complete_until in rows
        },
        "under_repair": len({certificate for _, certificate, _, _ in quarantined}),
    }


def _metrics(house: House) -> Response:
    state = _state(house)
    registry = CollectorRegistry()
    Gauge("certlife_last_position", "Last position of the log", registry=registry).set(state["last_position"])
    Gauge("certlife_under_repair", "Certificates set aside", registry=registry).set(state["under_repair"])
    lag = Gauge("certlife_projection_lag_events", "Positions behind the log", ["projection"], registry=registry)
    age = Gauge("certlife_projection_age_seconds", "Age of complete_until", ["projection"], registry=registry)
    for name, standing in state["projections"].items():
        lag.labels(name).set(state["last_position"] - standing["position"])
        if standing["complete_until"]:
            age.labels(name).set((state["now"] - standing["complete_until"]).total_seconds())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
