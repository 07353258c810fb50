"""Notices over HTTP: which are wanted and which were served, and each as a paper in Chinese and English."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Request, Response

from api.files import DOCUMENTED, Files
from api.identity import Identity, identify, require
from api.lookup import QUESTIONERS
from api.printing.documents import Documents
from api.printing.notices import WORDS, Paper, topic_word
from api.query import Position
from lifecycle import documents as d
from lifecycle import events as e
from lifecycle import files, notices
from lifecycle.certificate import Certificate
from lifecycle.errors import NoticeNotServed
from lifecycle.files import Kept
from lifecycle.notices import Notice

PDF = "application/pdf"
Version = Annotated[int, Path(ge=1, le=999_999_999)]


class Notices:
    """The notices of a register's certificates; what was given out once is kept."""

    def __init__(self, documents: Documents, kept: Files) -> None:
        self.documents, self.kept = documents, kept
        self.register = documents.questions.register

    def of(self, identity: Identity, certificate_id: UUID) -> dict[str, Any]:
        """Every fact of the certificate that wants a notice, or was told of all the same."""
        certificate = self.documents.certificate(identity, certificate_id)
        return {"items": [_view(notice) for notice in notices.notices_of(certificate, self.register.editions)]}

    def paper(self, identity: Identity, certificate_id: UUID, version: int) -> Kept:
        """The notice of the fact, made from the record, and kept; for the holder the one that was served last.

        Raises FactUnknown, NoNotice, NoticeOfVoided, NoticeNotServed, Unprintable and IssuerNotNamed.
        """
        certificate = self.documents.certificate(identity, certificate_id)
        editions = self.register.editions
        if identity.role == "applicant":
            return self._served(certificate, version)
        notice = notices.notice_of(certificate, version, editions)
        face = Paper(certificate, notice, editions).face()
        face |= {"issuer": self.documents.named_issuer()._asdict(), "simulation": self.documents.simulation}
        d.require_glyphs(certificate, {"notice": "".join(_texts(face))}, self.register.glyphs)
        return self.kept.keep(identity, self.documents.press.notice(face), PDF)

    def _served(self, certificate: Certificate, version: int) -> Kept:
        """What the holder was served, as it is kept."""
        told = (recorded.fact for recorded in certificate.history)
        served = [f.notice_sha256 for f in told if isinstance(f, e.HolderNotified) and f.of == version]
        digest = next(filter(None, reversed(served)), None)
        if digest is None:
            raise NoticeNotServed(version=version, certificate=certificate.label)
        with self.kept.recorder.connection() as connection:
            return files.kept(connection, [digest])[digest]


def router(made: Notices) -> APIRouter:
    """The addresses of notices that are asked for; that they were served is a command."""
    routes = APIRouter()

    def asked_by(request: Request, act: str) -> Identity:
        identity = identify(made.register, request)
        require(identity, QUESTIONERS, act)
        return identity

    @routes.get("/certificates/{certificate_id}/notices", tags=["staff"])
    def wanted(request: Request, certificate_id: UUID, min_position: Position = None) -> Response:
        """The facts that want a notice, which were served and when, and until when an appeal is in time."""
        identity = asked_by(request, "list notices")
        made.documents.questions.require_recorded(min_position)
        told = msgspec.json.encode(made.of(identity, certificate_id))
        return Response(told, headers={"Cache-Control": "no-store"}, media_type="application/json")

    @routes.get(
        "/certificates/{certificate_id}/notices/{version}",
        tags=["staff"],
        response_class=Response,
        responses=DOCUMENTED,
    )
    def paper(request: Request, certificate_id: UUID, version: Version) -> Response:
        """The notice of the event with that version, as a PDF. Its digest is the ETag, and what was given out is kept.

        A holder is given the notice that it was served.
        """
        identity = asked_by(request, "fetch a notice")
        return made.kept.given(made.paper(identity, certificate_id, version), request)

    return routes


def _view(notice: Notice) -> dict[str, Any]:
    words = WORDS.get(topic_word(notice.fact))
    return {
        "of": notice.of,
        "type": e.topic_of(notice.fact),
        "title": words and words["title"],
        "effective_on": notice.fact.effective_on,
        "state": notice.state,
        "void": notice.void,
        "served": [
            {
                "version": each.version,
                "served_on": each.fact.served_on,
                "proof_sha256": each.fact.proof_sha256,
                "notice_sha256": each.fact.notice_sha256,
            }
            for each in notice.served
        ],
        "appeal_until": notice.appeal_until,
    }


def _texts(face: Any) -> Iterator[str]:
    """Every text on the paper."""
    if isinstance(face, str):
        yield face
    elif isinstance(face, dict | list):
        for each in face.values() if isinstance(face, dict) else face:
            yield from _texts(each)
