"""Makes the corpus of kept histories anew: ``python -m tests.corpus.make``. Worlds lived in by chance, and stories told
at every boundary.

Only when an outcome was meant to change; a history once kept otherwise stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from uuid import UUID, uuid5

from api.rehearsal.corpus import EXPECTED, write_corpus
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.events import Recorded
from lifecycle.rehearsal.same import Kept, kept
from tests.clock.world import World, in_memory
from tests.corpus.boundaries import editions, told

NAMESPACE = UUID("0c9a9c5e-6f9e-5d5b-9b1a-2f3a64a6a7d1")
SEEDS = range(12)
DAYS = 2200


def histories() -> Iterator[Kept]:
    """The corpus."""
    for seed in SEEDS:
        world = in_memory(seed=seed).lives(DAYS)
        world.tick()
        yield from (_kept(world, certificate) for certificate in world.histories())
    for number, story in enumerate(told()):
        yield kept(uuid5(NAMESPACE, str(number)), story.history, {}, editions())


def _kept(world: World, certificate: Certificate) -> Kept:
    bars = {
        recorded.fact.effective_on: recorded.fact.until_on
        for recorded in world.register.events.get(certificate.organisation)
        if isinstance(recorded.fact, e.BarImposed) and recorded.fact.certificate == certificate.id
    }
    imposed = {version: bars.get(on) for version, on in _withdrawals(certificate.history)}
    return kept(certificate.id, certificate.history, imposed, editions())


def _withdrawals(history: Iterable[Recorded]) -> Iterator[tuple[int, date]]:
    for recorded in history:
        if isinstance(recorded.fact, e.CertificateWithdrawn):
            yield recorded.version, recorded.fact.effective_on


if __name__ == "__main__":
    print(f"{EXPECTED}: {write_corpus(EXPECTED, editions(), histories())} bytes")
