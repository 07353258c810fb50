"""The states of certificates as the engine goes along, so that a fact costs one step and not a whole fold.

A state is kept in memory while it is recent. A correction, a gap (another engine wrote in between) or a certificate not
seen before is folded anew from its stream, up to the batch's last position.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import Connection, OperationalError

from lifecycle import events as e
from lifecycle import log, upcast
from lifecycle.certificate import Certificate, evolve, fold
from lifecycle.sql import load
from lifecycle.transitions import STATUS

SQL = load("engine", "projections")

CERTIFICATE_FACTS = frozenset(fact for _, fact in STATUS)
"""The facts of certificate streams."""

CLAIM_TOPIC = e.topic_of(e.NumberClaimed)

Claim = tuple[int, e.NumberClaimed | None]
"""The position at which a number was claimed, and the claim: None where it cannot be read, and still has its place."""


OTHER_TOPICS = frozenset(topic for topic, fact in e.FACTS.items() if fact not in CERTIFICATE_FACTS)
"""The topics of other streams, which are passed over unread."""


@dataclass(slots=True)
class Batch:
    """What a batch of facts led to: certificates touched, numbers claimed in order, and what is unreadable and why.

    ``positions`` are those of each touched stream's last fact in the batch.
    """

    certificates: list[Certificate] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    unreadable: dict[UUID, str] = field(default_factory=dict)
    positions: dict[UUID, int] = field(default_factory=dict)


class Folds:
    """The last states, at most ``size`` of them."""

    def __init__(self, size: int = 5_000) -> None:
        self.size = size
        self.states: OrderedDict[UUID, Certificate] = OrderedDict()

    def advance(self, connection: Connection, rows: Sequence[log.Row]) -> Batch:
        """The certificates that the rows of the log touched, as they stand after the last of them."""
        batch = Batch()
        refold: dict[UUID, None] = {}
        for row in rows:
            if row[3] == CLAIM_TOPIC:
                batch.claims.append(claim_of(row))
            elif row[3] not in OTHER_TOPICS:
                batch.positions[row[1]] = row[0]
                if row[1] not in refold and not self._step(row):
                    self.states.pop(row[1], None)
                    refold[row[1]] = None
        self._refold(connection, refold, rows[-1][0], batch)
        batch.certificates = [self.states[id] for id in batch.positions if id not in batch.unreadable]
        self._trim()
        return batch

    def anew(self, connection: Connection, positions: dict[UUID, int], upto_position: int) -> Batch:
        """These streams, of which the last facts stand at these positions, folded from their beginning."""
        batch = Batch(positions=positions)
        self._refold(connection, [*positions], upto_position, batch)
        batch.certificates = [self.states.pop(id) for id in batch.positions if id not in batch.unreadable]
        return batch

    def forget(self) -> None:
        """Nothing is remembered: after a failure, states are folded anew."""
        self.states.clear()

    def drop(self, ids: Iterable[UUID]) -> None:
        """These are not remembered: they are folded anew from what their streams say then, repaired or not."""
        for id in ids:
            self.states.pop(id, None)

    def _step(self, row: log.Row) -> bool:
        """Evolved by one fact; False where the state has to be folded anew, which tells the problem if there is one."""
        id, version = row[1], row[2]
        state = self.states.get(id)
        if state is None and version == 1:
            state = self.states[id] = Certificate(id)
        if state is None or version != state.version + 1:
            return False
        try:
            fact = upcast.recorded(*row).fact
            evolve(state, version, fact)
        except Exception:
            return False
        self.states.move_to_end(id)
        return type(fact) is not e.RecordCorrected

    def _refold(self, connection: Connection, ids: Iterable[UUID], upto_position: int, batch: Batch) -> None:
        for id in ids:
            try:
                state = fold(id, log.stream(connection, id, upto_position))
            except OperationalError:
                raise
            except Exception as error:
                if self._is_certificate(connection, id):
                    batch.unreadable[id] = f"{type(error).__name__}: {error}"
                else:
                    del batch.positions[id]
            else:
                state.history = ()
                self.states[id] = state

    def _is_certificate(self, connection: Connection, id: UUID) -> bool:
        """By the first topic of its stream, for one that has a topic nobody knows."""
        found = connection.execute(SQL["select_first_topic"], {"id": id}).fetchone()
        return found is None or (found[0] not in OTHER_TOPICS and found[0] in e.FACTS.keys() | upcast.UPCASTS)

    def _trim(self) -> None:
        while len(self.states) > self.size:
            self.states.popitem(last=False)


def claim_of(row: log.Row) -> Claim:
    """What a row of the claims' topic says."""
    return row[0], _claimed(row)


def _claimed(row: log.Row) -> e.NumberClaimed | None:
    try:
        fact = upcast.recorded(*row).fact
    except upcast.Unreadable:
        return None
    return fact if isinstance(fact, e.NumberClaimed) and "\0" not in fact.number else None
