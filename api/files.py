"""Files of evidence over HTTP: brought by whoever may cite them, fetched by staff, and by a holder those of its own."""

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.identity import Identity, identify, require
from api.limits import FILES, file_received
from api.lookup import QUESTIONERS, Questions, require_own
from api.query import Position, is_among
from lifecycle import events as e
from lifecycle import files
from lifecycle.errors import FileUnknown, Malformed, Refusal
from lifecycle.events import Recorded
from lifecycle.files import Citation, Kept
from lifecycle.store import Recorder

BRINGERS: frozenset[e.Role] = frozenset({"registrar", "assessor", "decision_maker", "applicant"})
"""Whoever may record a fact that cites a file."""
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
OCTETS = "application/octet-stream"
ENDINGS = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/tiff": "tif", "text/plain": "txt",
    "text/csv": "csv", "audio/mpeg": "mp3", "video/mp4": "mp4", "application/zip": "zip", OCTETS: "bin",
}  # fmt: skip
"""Media types that a file is given out as; whatever else it was said to be, it is given out as octets."""
INERT = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {each: {"schema": {"type": "string", "format": "binary"}} for each in ENDINGS}},
    304: {"description": "The copy that the caller has is the same."},
}
BROUGHT = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}},
    "security": [{"key": []}],
    "x-roles": sorted(BRINGERS),
}
"""What the document says of a file that is brought; it may be of any other media type too."""


class NotAFile(Refusal):
    code = "not_a_file"
    kind = "unsupported"
    en = "A file is sent as its bare bytes, with its own media type in Content-Type, not as {given}."
    zh = "请直接发送文件的原始字节，并在 Content-Type 中注明其媒体类型，而非 {given}。"


class Files:
    """The files that are kept, and who may have them."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        self.register = questions.register
        self.recorder: Recorder = questions.register.recorder  # pyright: ignore[reportAttributeAccessIssue]

    def keep(self, identity: Identity, content: bytes, media_type: str) -> Kept:
        """The bytes are kept; answers what is known of them. Raises Malformed for none."""
        if not content:
            raise Malformed(problem=f"the file is empty; one has 1 to {files.LARGEST} bytes")
        return files.keep(self.recorder, content, media_type, identity.by.person, self.register.clock.instant())

    def cited(self, identity: Identity, certificate_id: UUID) -> dict[str, Any]:
        """Every file that the certificate's facts cite, and whether it is kept.

        To a holder none that is internal, nor whether one is kept that it may not have.
        """
        certificate = self.register.certificate(certificate_id)
        require_own(identity, certificate_id, certificate.organisation)
        full = identity.role != "applicant"
        by_digest: dict[str, list[Citation]] = {}
        for citation in files.citations(certificate.history):
            if full or not citation.internal:
                by_digest.setdefault(citation.sha256, []).append(citation)
        with self.recorder.connection() as connection:
            kept = files.kept(connection, by_digest)
        if not full:
            kept = {d: found for d, found in kept.items() if any(each.opens(found) for each in by_digest[d])}
        return {"items": [_view(digest, cited, kept.get(digest)) for digest, cited in by_digest.items()]}

    def about(self, identity: Identity, digest: str) -> Kept:
        """What is known of the file. Raises FileUnknown, also to a holder whom it does not concern."""
        with self.recorder.connection() as connection:
            found = files.kept(connection, [digest]).get(digest)
        if found is None or (identity.organisation and not self._concerns(identity.organisation, found)):
            raise FileUnknown(sha256=digest)
        return found

    def given(self, found: Kept, request: Request) -> Response:
        """The bytes, to be saved and not to be opened in place; none where the caller has them."""
        headers = headers_of(found)
        if is_among(headers["ETag"], request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        with self.recorder.connection() as connection:
            ((_, content),) = files.contents(connection, [found.sha256])
        return Response(content, headers=headers)

    def _concerns(self, organisation: UUID, found: Kept) -> bool:
        """Whether a fact of one of the holder's own certificates cites the file so that the holder may have it."""
        entered: Iterable[Recorded] = self.register.events.get(organisation)  # pyright: ignore[reportAssignmentType]
        own = {each.fact.certificate for each in entered if isinstance(each.fact, e.ApplicationEntered)}
        return any(
            citation.sha256 == found.sha256 and citation.opens(found)
            for id in own
            for citation in files.citations(self.register.certificate(id).history)
        )


def router(kept: Files) -> APIRouter:
    """The addresses of files."""
    routes = APIRouter()
    register = kept.register

    def asked_by(request: Request, allowed: frozenset[e.Role], act: str) -> Identity:
        identity = identify(register, request)
        require(identity, allowed, act)
        return identity

    @routes.post(FILES, tags=["commands"], openapi_extra=BROUGHT)
    async def bring_file(request: Request) -> Response:
        """The body's bytes are kept for ever, under their SHA-256: at most 20 MiB. Facts cite them by it.

        The same bytes again give the same answer.
        """
        identity = await run_in_threadpool(asked_by, request, BRINGERS, "bring a file")
        media_type = _media_type(request)
        found = await run_in_threadpool(kept.keep, identity, await file_received(request), media_type)
        return _json({"sha256": found.sha256, "size": found.size})

    @routes.get("/files/{sha256}", tags=["staff"], response_class=Response, responses=DOCUMENTED)
    def file(request: Request, sha256: Digest) -> Response:
        """The bytes of a file."""
        identity = asked_by(request, QUESTIONERS, "fetch a file")
        return kept.given(kept.about(identity, sha256), request)

    @routes.get("/certificates/{certificate_id}/files", tags=["staff"])
    def cited(request: Request, certificate_id: UUID, min_position: Position = None) -> Response:
        """The files that the certificate's facts cite, by which facts, and which of them are kept here."""
        identity = asked_by(request, QUESTIONERS, "list files")
        kept.questions.require_recorded(min_position)
        return _json(kept.cited(identity, certificate_id))

    return routes


def headers_of(found: Kept) -> dict[str, str]:
    """What the file is given out as; it acts nowhere."""
    media_type = found.media_type if found.media_type in ENDINGS else OCTETS
    return INERT | {
        "Content-Type": media_type,
        "ETag": f'"{found.sha256}"',
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(found.sha256)).decode()}:",
        "Content-Disposition": f'attachment; filename="{found.sha256}.{ENDINGS[media_type]}"',
    }


def _media_type(request: Request) -> str:
    """What the file is said to be. Raises Malformed, and NotAFile for a form."""
    given = request.headers.get("content-type", OCTETS).partition(";")[0].strip().lower()
    if given in FORMS:
        raise NotAFile(given=given)
    if not MEDIA_TYPE.fullmatch(given):
        raise Malformed(problem="Content-Type must be a media type, such as application/pdf")
    return given


def _view(digest: str, cited: Iterable[Citation], kept: Kept | None) -> dict[str, Any]:
    return {
        "sha256": digest,
        "kept": kept is not None,
        "size": kept and kept.size,
        "media_type": kept and kept.media_type,
        "kept_at": kept and kept.kept_at,
        "cited_by": [
            {"version": each.version, "type": each.type, "member": each.member, "internal": each.internal}
            for each in cited
        ],
    }


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), headers={"Cache-Control": "no-store"}, media_type="application/json")
