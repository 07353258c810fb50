"""GET /ledger/...: checkpoints of the ledger and proofs over them, for anybody who wants to check the register."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from api.ledger.checkpoints import Checkpoints
from api.query import require_known
from api.signing import EVERYWHERE
from projections import checkpoints as published

TEXT, JSON = "text/plain", "application/json"
HEADERS = EVERYWHERE | {"Cache-Control": "no-cache"}

Size = Annotated[int | None, Query(ge=1, le=2**62)]
At = Annotated[int, Query(ge=1, le=2**62)]


class InclusionProof(msgspec.Struct, frozen=True):
    """The leaf is in the checkpoint's tree: hashes in base64, the audit path from the leaf up (RFC 9162, 2.1.3)."""

    position: int
    leaf_index: int
    leaf_hash: bytes
    tree_size: int
    audit_path: list[bytes]
    checkpoint: str


class ConsistencyProof(msgspec.Struct, frozen=True):
    """The older checkpoint's tree is the beginning of the newer one's (RFC 9162, 2.1.4); hashes in base64."""

    old_size: int
    new_size: int
    path: list[bytes]
    old_checkpoint: str
    new_checkpoint: str


def _documented(media_type: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": schema}}}}


def _shape(answer: type[InclusionProof | ConsistencyProof]) -> dict[str, Any]:
    _, shapes = msgspec.json.schema_components([answer])
    return shapes[answer.__name__]


NOTE = _documented(TEXT, {"type": "string"})
INCLUSION, CONSISTENCY = (_documented(JSON, _shape(each)) for each in (InclusionProof, ConsistencyProof))


def router(signed: Checkpoints) -> APIRouter:
    """Everything here is public: it says nothing of what an event holds."""
    routes = APIRouter(prefix="/ledger", tags=["ledger"], dependencies=[Depends(require_known)])

    @routes.get("/checkpoint", response_class=Response, responses=NOTE)
    def checkpoint(size: Size = None) -> Response:
        """The last signed checkpoint, or the one over so many events, as a signed note (c2sp.org/tlog-checkpoint)."""
        with signed.register.recorder.connection() as connection:
            return _text(published.note(connection, size).text)

    @routes.get("/keys", response_class=Response, responses=NOTE)
    def keys() -> Response:
        """Every key that ever signed a checkpoint, a line each, the first at the top: NAME+ID+KEY."""
        with signed.register.recorder.connection() as connection:
            return _text("".join(f"{key}\n" for key in signed.verifier_keys(connection)))

    @routes.get("/proof", response_class=Response, responses=INCLUSION)
    def proof(position: At, size: Size = None) -> Response:
        """That the event at a position is in the log as the last checkpoint, or the one of that size, says."""
        with signed.register.recorder.connection() as connection:
            leaf, path, note = published.inclusion(connection, position, size)
        return _json(InclusionProof(leaf.position, leaf.leaf_index, leaf.hash, note.size, path, note.text))

    @routes.get("/consistency", response_class=Response, responses=CONSISTENCY)
    def consistency(old: Annotated[int, Query(alias="from", ge=1, le=2**62)], to: Size = None) -> Response:
        """That nothing changed between two checkpoints: all that the older one covers stands in the newer one too."""
        with signed.register.recorder.connection() as connection:
            path, older, newer = published.consistency(connection, old, to)
        return _json(ConsistencyProof(older.size, newer.size, path, older.text, newer.text))

    return routes


def _text(text: str) -> Response:
    return Response(text, headers=HEADERS, media_type=TEXT)


def _json(proof: InclusionProof | ConsistencyProof) -> Response:
    return Response(msgspec.json.encode(proof), headers=HEADERS, media_type=JSON)
