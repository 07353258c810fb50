"""GET: the dispute bundle of a certificate, and the program that checks it."""

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.evidence.bundle import Evidence, nobody
from api.evidence.container import verifier
from api.identity import identify, require
from api.query import Position
from api.signing import EVERYWHERE
from lifecycle import events as e

ZIP, PYTHON = "application/zip", "text/x-python"
GIVEN_TO: frozenset[e.Role] = frozenset({"registrar", "decision_maker", "auditor", "applicant"})
"""Who hands evidence over, who decides disputes, who audits them, and the holder."""
PIECE = 1 << 16


def _documented(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


def router(evidence: Evidence) -> APIRouter:
    """The addresses of evidence."""
    routes = APIRouter()
    register = evidence.questions.register

    @routes.get(
        "/certificates/{certificate_id}/evidence",
        tags=["evidence"],
        response_class=Response,
        responses=_documented(ZIP),
    )
    def bundle(request: Request, certificate_id: UUID, names: bool = False, min_position: Position = None) -> Response:
        """The dispute bundle, a zip: events, proofs, editions, documents, and `verify.py`, which checks it offline.

        The holder's has no internal reasons. Persons stand in it by pseudonym; `names` has who they are beside, for an
        auditor. That it was fetched is recorded.
        """
        identity = identify(register, request)
        require(identity, GIVEN_TO, "fetch evidence")
        evidence.questions.require_recorded(min_position)
        naming = evidence.naming(identity, certificate_id) if names else nobody
        made = evidence.bundle(identity, certificate_id, naming)
        headers = {
            "Cache-Control": "no-store",
            "Content-Length": str(made.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}",
        }
        return StreamingResponse(_pieces(made.file), headers=headers, media_type=ZIP)

    @routes.get("/ledger/verify.py", tags=["ledger"], response_class=Response, responses=_documented(PYTHON))
    def verify() -> Response:
        """The program that checks a bundle of evidence, as every bundle holds it: one file, Python 3.11 alone."""
        return Response(verifier(), headers=EVERYWHERE | {"Cache-Control": "no-cache"}, media_type=PYTHON)

    return routes


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
