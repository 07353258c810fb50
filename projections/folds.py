"""The states of certificates as the engine goes along, so that a fact costs one step and not a whole fold.

A state is kept in memory while it is recent. A correction, a gap (another engine wrote in between) or a certificate not
seen before is folded anew from its stream, up to the batch's last position.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import Connection

from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.certificate import Certificate, evolve, fold
from lifecycle.events import Recorded
from lifecycle.transitions import STATUS

CERTIFICATE_FACTS = frozenset(fact for _, fact in STATUS)
"""The facts of certificate streams."""

CLAIM_TOPIC = e.topic_of(e.NumberClaimed)

Claim = tuple[int, e.NumberClaimed | None]
"""The position at which a number was claimed, and the claim: None where it cannot be read, and still has its place."""


@dataclass(slots=True)
class Batch:
    """What a batch of facts led to: certificates touched, numbers claimed in order, and what is unreadable and why."""

    certificates: list[Certificate] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    unreadable: dict[UUID, tuple[int, str]] = field(default_factory=dict)


class Folds:
    """The last states, at most ``size`` of them."""

    def __init__(self, size: int = 20_000) -> None:
        self.size = size
        self.states: OrderedDict[UUID, Certificate] = OrderedDict()

    def advance(self, connection: Connection, rows: Sequence[log.Row]) -> Batch:
        """The certificates that the rows of the log touched, as they stand after the last of them."""
        batch = Batch()
        touched: dict[UUID, None] = {}
        refold: set[UUID] = set()
        for row in rows:
            id = row[1]
            if id not in refold:
                try:
                    recorded = upcast.recorded(*row)
                except upcast.Unreadable:
                    refold.add(id)
                    if row[3] == CLAIM_TOPIC:
                        batch.claims.append((row[0], None))
                else:
                    if type(recorded.fact) is e.NumberClaimed:
                        batch.claims.append((row[0], recorded.fact))
                    if type(recorded.fact) not in CERTIFICATE_FACTS:
                        continue
                    if not self._step(recorded):
                        refold.add(id)
            touched[id] = None
        for id in refold:
            self._refold(connection, id, rows[-1][0], batch)
        for id in touched:
            if id not in batch.unreadable:
                batch.certificates.append(self.states[id])
        self._trim()
        return batch

    def forget(self) -> None:
        """Nothing is remembered: after a failure, states are folded anew."""
        self.states.clear()

    def _step(self, recorded: Recorded) -> bool:
        """Evolved by one fact; False where the state has to be folded anew."""
        id, version = recorded.originator_id, recorded.version
        state = self.states.get(id)
        if state is None and version == 1:
            state = self.states[id] = Certificate(id)
        if state is None or version != state.version + 1 or type(recorded.fact) is e.RecordCorrected:
            self.states.pop(id, None)
            return False
        try:
            evolve(state, version, recorded.fact)
        except Exception:  # the refold, which reads the whole stream, tells the problem
            del self.states[id]
            return False
        self.states.move_to_end(id)
        return True

    def _refold(self, connection: Connection, id: UUID, upto_position: int, batch: Batch) -> None:
        self.states.pop(id, None)
        try:
            state = fold(id, log.stream(connection, id, upto_position))
        except Exception as error:
            batch.unreadable[id] = (upto_position, f"{type(error).__name__}: {error}")
        else:
            state.history = ()
            self.states[id] = state

    def _trim(self) -> None:
        while len(self.states) > self.size:
            self.states.popitem(last=False)
