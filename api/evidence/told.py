"""What a bundle has beside the events and their proofs: what is told of them, and what they name.

Each judgement, the state at each step and the page for people are made from the events alone, as of the checkpoint; for
the holder from those that it is shown, without internal words. Editions, documents and files are as they are kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from psycopg import Connection

from api.evidence.page import About, page
from api.evidence.views import for_holder, hidden_from_holder
from api.identity import Identity
from lifecycle import events as e
from lifecycle import files
from lifecycle.certificate import Certificate
from lifecycle.evidence.asking import Bars
from lifecycle.evidence.traces import judgements, steps
from lifecycle.rules import Edition
from lifecycle.service import Register

Content = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Told:
    """Of which certificate is told, to whom, and the facts of other streams that its record rests on."""

    register: Register
    identity: Identity
    certificate: Certificate
    grounds: Sequence[e.Fact]

    def contents(self, connection: Connection, about: About) -> Iterator[Content]:
        """Each file of the bundle, by its name; the large ones one at a time."""
        yield from self._told(about)
        for published in self._published():
            yield f"editions/{published.digest}.toml", published.text.encode()
        for recorded in self.certificate.history:
            if isinstance(seal := recorded.fact, e.DocumentSealed):
                yield f"documents/{seal.document}.pdf", self.register.recorder.document(bytes.fromhex(seal.sha256))
        for digest, content in files.contents(connection, self._cited()):
            yield f"files/{digest}", content

    def persons(self) -> list[str]:
        """Who recorded, signed or assessed anything of the certificate, by pseudonym."""
        facts = [recorded.fact for recorded in self.certificate.history]
        named = (person for fact in facts for person in (fact.by.person, *fact.signed_by, *getattr(fact, "team", ())))
        return [*dict.fromkeys(named)]

    @property
    def _is_to_holder(self) -> bool:
        return self.identity.role == "applicant"

    def _told(self, about: About) -> Iterator[Content]:
        id, history, editions, bars = self.certificate.id, self.certificate.history, self._editions(), self._bars()
        hidden = frozenset[int]()
        if self._is_to_holder:
            hidden = frozenset(each.version for each in history if hidden_from_holder(each))
            history = for_holder(history)
        states = [step for step in steps(id, history, editions) if step.version not in hidden]
        yield "judgements.json", msgspec.json.encode(judgements(id, history, editions, bars))
        yield "states.json", msgspec.json.encode(states)
        yield "page.html", page(id, history, editions, about, bars, hidden).encode()

    def _published(self) -> list[e.EditionPublished]:
        return [fact for fact in self.grounds if isinstance(fact, e.EditionPublished)]

    def _editions(self) -> dict[str, Edition]:
        return {each.published: self.register.editions[each.published] for each in self._published()}

    def _bars(self) -> Bars:
        """What each withdrawal imposed."""
        imposed = {fact.effective_on: fact.until_on for fact in self.grounds if isinstance(fact, e.BarImposed)}
        withdrawn = (each for each in self.certificate.history if isinstance(each.fact, e.CertificateWithdrawn))
        return {each.version: imposed.get(each.fact.effective_on) for each in withdrawn}

    def _cited(self) -> list[str]:
        """The files that the facts cite; for a holder without internal ones."""
        cited = files.citations(self.certificate.history)
        return [*dict.fromkeys(each.sha256 for each in cited if not (self._is_to_holder and each.internal))]
