"""What can be asked of rehearsals: to make one, to approve it, to begin its adoption or to halt it."""

from uuid import UUID, uuid4

from lifecycle import commands as c
from lifecycle import errors
from lifecycle.decide import DUTIES, require_role
from lifecycle.rehearsal import lines as rehearsal_lines
from lifecycle.rehearsal import state as decisions
from lifecycle.rehearsal.adoption import barred_from
from lifecycle.rehearsal.run import rehearsal
from lifecycle.rehearsal.state import Rehearsal, rehearsal_of
from lifecycle.rules import Edition
from lifecycle.service import Register
from lifecycle.work import Answer, Request


class Rehearsals:
    """The commands, carried out on a register as every other is."""

    def __init__(self, register: Register) -> None:
        self.register = register

    def request(self, request: Request, command: c.Rehearse) -> Answer:
        """A rehearsal up to the present end of the log, not made yet. Raises EditionUnknown."""
        require_role(request.by.role, command, DUTIES[c.Rehearse].by)
        edition = self._edition(command.edition)
        id = uuid4()
        return self.register.on_stream(
            request,
            id,
            lambda _: Rehearsal(id),
            lambda _, moment: decisions.request(edition, self.register.recorder.max_notification_id() or 0, moment),
        )

    def approve(self, request: Request, id: UUID, command: c.ApproveRehearsal) -> Answer:
        """One of its two approvals. Raises RehearsalUnknown, NotInRehearsal and what the decision raises."""
        require_role(request.by.role, command, DUTIES[c.ApproveRehearsal].by)
        found = rehearsal(self.register, id)
        author = self.register.scheme(self._edition(found.edition).scheme).authors[found.edition]

        def barred_for(certificate: UUID) -> frozenset[str]:
            if rehearsal_lines.line_of(self.register.recorder, id, certificate) is None:
                raise errors.NotInRehearsal(certificate=certificate)
            return barred_from(self.register, self.register.certificate(certificate), self._persons(id, request))

        return self.register.on_stream(
            request,
            id,
            lambda history: rehearsal_of(id, history),
            lambda stands, moment: decisions.approve(stands, command, author, barred_for, moment),
        )

    def step(self, request: Request, id: UUID, command: c.Adopt) -> Answer:
        """Its adoption begins, goes on or halts; somebody has to run it. Raises what stands in the way."""
        require_role(request.by.role, command, DUTIES[c.Adopt].by)
        edition = self._edition(rehearsal(self.register, id).edition)
        return self.register.on_stream(
            request,
            id,
            lambda history: rehearsal_of(id, history),
            lambda stands, moment: decisions.step(stands, command, edition, moment),
        )

    def _edition(self, id: str) -> Edition:
        try:
            return self.register.editions[id]
        except KeyError:
            raise errors.EditionUnknown(edition=id, known=", ".join(sorted(self.register.editions))) from None

    def _persons(self, id: UUID, request: Request) -> frozenset[str]:
        approvals = rehearsal(self.register, id).approvals
        return frozenset({each.by.person for each in approvals} | {request.by.person})
