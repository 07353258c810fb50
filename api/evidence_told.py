"""What a bundle tells of the record beside the events: each judgement, the state at each step, and the page for people.

Made from the events alone, as of the checkpoint; for the holder from those that it is shown, without internal words.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from api.evidence_page import About, page
from api.evidence_views import for_holder
from api.identity import Identity
from lifecycle import events as e
from lifecycle.asking import Bars
from lifecycle.certificate import Certificate
from lifecycle.events import Recorded
from lifecycle.rules import Edition
from lifecycle.traces import judgements, steps

Content = tuple[str, bytes]


class Telling(NamedTuple):
    """Of which certificate is told, and what it rests on: facts of other streams, and the editions among them."""

    certificate: Certificate
    grounds: Sequence[e.Fact]
    editions: dict[str, Edition]

    def told(self, identity: Identity, about: About) -> Iterator[Content]:
        """The files of the bundle that tell of it."""
        id, history, bars = self.certificate.id, self.certificate.history, self._bars()
        if identity.role == "applicant":
            history = for_holder(history)
        yield "judgements.json", msgspec.json.encode(judgements(id, history, self.editions, bars))
        yield "states.json", msgspec.json.encode(steps(id, history, self.editions))
        yield "page.html", page(id, history, self.editions, about, bars).encode()

    def _bars(self) -> Bars:
        imposed = {fact.effective_on: fact.until_on for fact in self.grounds if isinstance(fact, e.BarImposed)}
        return {each.version: imposed.get(each.fact.effective_on) for each in _withdrawals(self.certificate.history)}


def _withdrawals(history: Iterable[Recorded]) -> Iterator[Recorded]:
    return (recorded for recorded in history if isinstance(recorded.fact, e.CertificateWithdrawn))
