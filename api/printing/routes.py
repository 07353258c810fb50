"""Where the documents of a certificate are fetched, by staff and by its holder."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Request, Response

from api.identity import identify, require
from api.lookup import QUESTIONERS
from api.printing.documents import Documents
from api.query import Position

PDF = "application/pdf"
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The copy that the caller has is the same."},
}
Number = Annotated[int, Path(ge=1, le=999_999)]


def router(documents: Documents) -> APIRouter:
    """The addresses of the documents."""
    routes = APIRouter()
    register = documents.questions.register

    @routes.get("/certificates/{certificate_id}/documents", tags=["staff"])
    def versions(request: Request, certificate_id: UUID, min_position: Position = None) -> Response:
        """Every version of the certificate's document: what it says, whether it was made, what stands of it today."""
        identity = identify(register, request)
        require(identity, QUESTIONERS, "read documents")
        documents.questions.require_recorded(min_position)
        told = msgspec.json.encode(documents.of(identity, certificate_id))
        return Response(told, headers={"Cache-Control": "no-store"}, media_type="application/json")

    @routes.get(
        "/certificates/{certificate_id}/documents/{number}",
        tags=["staff"],
        response_class=Response,
        responses=DOCUMENTED,
    )
    def document(request: Request, certificate_id: UUID, number: Number, original: bool = False) -> Response:
        """The PDF, made when it is first asked for, and kept.

        Of one that does not stand as printed a copy is given out, marked so, unless the ``original`` is asked for.
        """
        identity = identify(register, request)
        require(identity, QUESTIONERS, "fetch a document")
        fetch = documents.original if original else documents.current
        given = fetch(identity, certificate_id, number)
        headers = given.headers | {"ETag": given.tag}
        if given.tag in request.headers.get("if-none-match", "").split(", "):
            return Response(status_code=304, headers=headers)
        return Response(given.content, headers=headers, media_type=PDF)

    return routes
