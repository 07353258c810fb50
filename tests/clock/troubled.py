"""A world in which everything goes wrong that can; as a program, the digest of its log: ``python -m ... SEED DAYS``.

Answers are lost before and after the effect, requests come twice, late and out of order, others act between a decision
and its record, and the clock jumps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from uuid import UUID

import msgspec

from lifecycle import errors
from lifecycle.service import Answer, Register
from lifecycle.store import StoreUnavailable
from tests.clock import laws
from tests.clock.memory import lose
from tests.clock.world import Present, World
from tests.projections.tables import STARS

Send = Callable[[], Answer]


class Troubled(World):
    """One seed's world. ``wrong`` tells what does not hold after a step."""

    def __init__(self, seed: int) -> None:
        present = Present()
        super().__init__(Register({"PERSISTENCE_MODULE": "tests.clock.memory"}, present), present, seed)
        self.recorder = self.register.recorder
        self.late: list[Send] = []
        self.answers: dict[Send, Answer] = {}
        self.lawful: dict[UUID, int] = {}
        self.numbers: dict[str, UUID] = {}
        self.meanwhile = False
        self.found()
        self.settled = self.sent
        self.carry = self._carry
        self.recorder.before, self.recorder.after = self._before_append, self._after_append

    def step(self) -> UUID:
        jump = self.chance.choice((-400, 400)) if self.chance.random() < 0.003 else 0
        self.present.move(days=jump)
        id = super().step()
        self.present.move(days=-jump)
        return id

    # ---- what goes wrong ----

    def _carry(self, send: Send) -> Answer | None:
        """Sent at once or late, once or twice."""
        fate = self.chance.random()
        if fate < 0.1:
            self.late.append(send)
        answer = self._insist(send) if fate > 0.04 else None
        if fate > 0.95:
            self._insist(send)
        if self.late and self.chance.random() < 0.1:
            self._insist(self.late.pop(self.chance.randrange(len(self.late))))
        return answer

    def _insist(self, send: Send) -> Answer | None:
        """Sent again until it is answered; what was answered once is answered so always."""
        while True:
            try:
                answer = send()
            except StoreUnavailable:
                self.present.move(seconds=self.chance.randrange(100))
            except (
                errors.Refusal,
                msgspec.ValidationError,
            ):  # the latter while a grade without a score cannot be patched
                assert send not in self.answers, "what was done is refused"
                return None
            else:
                assert self.answers.setdefault(send, answer) == answer, "answered in two ways"
                return answer

    def _before_append(self) -> None:
        fate = self.chance.random()
        if fate < 0.03:
            lose("before the effect")
        if fate < 0.1 and self.certificates and not self.meanwhile:
            self.meanwhile = True
            self.act(self.chance.choice(self.certificates))
            self.meanwhile = False

    def _after_append(self) -> None:
        if self.chance.random() < 0.03:
            lose("after the effect")

    def tick(self, **_: object) -> None:
        """A clock that loses answers too."""
        for id in self.certificates:
            try:
                self.register.tick(id)
            except StoreUnavailable:
                continue

    # ---- what holds ----

    def wrong(self) -> Iterator[str]:
        """What does not hold of the certificates that something happened to since this was asked last."""
        for id in self.certificates:
            known = self.lawful.get(id, 0)
            if len(self.recorder.streams[id]) > known:
                certificate = self.register.certificate(id)
                yield from laws.unlawful(certificate.history, known)
                yield from laws.untimely(certificate.history)
                yield from laws.unaccountable(certificate, self.register.editions)
                yield from laws.misleading(certificate, STARS)
                yield from laws.inconsistent(certificate)
                yield from self._printed_elsewhere(id, certificate.numbers.values)
                self.lawful[id] = certificate.version

        if len(self.recorder.receipts) != self.settled + len(self.answers):
            yield "something was recorded that nobody was answered, or the other way round"

    def _printed_elsewhere(self, id: UUID, numbers: list[str]) -> Iterator[str]:
        for number in numbers:
            if self.numbers.setdefault(number, id) != id:
                yield f"{number} is printed on two certificates"

    def digest(self) -> str:
        """Of the whole log, to the byte."""
        return sha256(repr(self.recorder.log).encode()).hexdigest()


def simulated(seed: int, days: int) -> Troubled:
    """So many days in which at every step every law holds."""
    world = Troubled(seed)
    start = world.present.at
    while (world.present.at - start).days < days:
        world.step()
        if world.chance.random() < 0.3:
            world.tick()
        assert not (wrong := list(world.wrong())), f"seed {seed}, at {len(world.recorder.log)} facts: {wrong}"
        world.present.move(days=world.chance.expovariate(0.15))
    return world


if __name__ == "__main__":
    print(simulated(*map(int, sys.argv[1:])).digest())
