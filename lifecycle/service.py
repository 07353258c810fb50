"""The register: the eventsourcing application through which every fact is recorded.

A command is carried out in one way: look for its receipt and load its stream, in one question; decide; append facts and
receipt in one transaction. A conflict is resolved by looking for one's own receipt before anybody is told of it, so a
command in doubt has exactly one effect however often it is sent again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

import msgspec
from eventsourcing.application import Application

from lifecycle import certificate as certificates
from lifecycle import commands as c
from lifecycle import decide, errors, files, keys, scheme, signing_keys
from lifecycle import events as e
from lifecycle import organisation as organisations
from lifecycle.certificate import Certificate
from lifecycle.decisions.clock import CLOCK, owed
from lifecycle.decisions.moment import Moment
from lifecycle.documents import EVERY_GLYPH, Document, Glyphs, Made, Sealed, document_of, seal_of
from lifecycle.entailed import entail, enter_application
from lifecycle.numbers import claim_id, series_id
from lifecycle.organisation import Organisation
from lifecycle.periods import legal_day
from lifecycle.persons import person as persons
from lifecycle.persons.sealing import SealedDetails
from lifecycle.rules import Edition, normalise_number, shipped_editions
from lifecycle.scheme import Scheme
from lifecycle.signing_keys import SigningKey, SigningKeys
from lifecycle.store import Beside, DayTurned, HolderErased, KeyNotInForce, ReceiptExists, Recorder, VersionConflict
from lifecycle.trail_reads import TrailReads
from lifecycle.work import Answer, Request, Work, receipt_of, repeated

TRIES = 20
"""How often a command is decided again when another stream than its certificate's moved under it."""


class Clock(Protocol):
    """The present of a simulation, or None: a production register takes its instants from the database."""

    def instant(self) -> datetime | None: ...


class Streams(Protocol):
    """What the library's event store gives, as our mapper makes it."""

    def get(self, originator_id: UUID, *, gt: int | None = None, lte: int | None = None) -> Iterator[e.Recorded]: ...


class Begun(NamedTuple):
    """Where a command begins: the legal day, and the stream that it is about."""

    today: date
    subject: UUID
    history: Iterator[e.Recorded]


class Register(Application[UUID]):
    """Every command of the register; questions about one stream are answered here too."""

    name = "certlife"
    env = {
        "PERSISTENCE_MODULE": "lifecycle.store",
        "MAPPER_TOPIC": "lifecycle.store:JsonMapper",
    }
    recorder: Recorder  # pyright: ignore[reportIncompatibleVariableOverride]
    events: Streams  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, env: dict[str, str], clock: Clock) -> None:
        super().__init__(env)
        self.clock = clock
        self.editions: dict[str, Edition] = PublishedEditions(self._learn)
        self._learnt: dict[str, int] = {}
        self.glyphs: Glyphs = EVERY_GLYPH

    def open(self) -> None:
        """The editions that ship with the service are published, and all published ones are known.

        Raises scheme.EditionChanged where a shipped text differs from the published one.
        """
        shipped = shipped_editions()
        for code in sorted({edition.scheme for edition in shipped.values()}):
            self._until_settled(lambda code=code: self._publish(code, shipped))

    # ---- certificates ------------------------------------------------------------------------------------------------

    def execute(self, request: Request, command: c.Command, certificate_id: UUID | None = None) -> Answer:
        """The command carried out, or proposed where two persons sign it. Raises the Refusal that stands in the way."""
        id = certificate_id or uuid4()
        return self._once(request, id, lambda begun: self._on_certificate(request, command, begun))

    def approve(self, request: Request, certificate_id: UUID, proposal: int, command: c.Approve) -> Answer:
        """The proposed act takes effect, signed by both."""
        return self._once(request, certificate_id, lambda begun: self._approved(request, proposal, command, begun))

    def reject(self, request: Request, certificate_id: UUID, proposal: int, command: c.Reject) -> Answer:
        """The proposal is closed without effect."""

        def work(begun: Begun) -> Work:
            certificate = self._owned(request, begun)
            self._require_version(request, certificate)
            facts = decide.reject(certificate, proposal, command.reason, self._moment(request, begun.today))
            return self._work(certificate, facts)

        return self._once(request, certificate_id, work)

    def tick(self, certificate_id: UUID, on: date | None = None, *, dry_run: bool = False) -> list[e.Fact]:
        """The clock's facts that the certificate owed by ``on`` (today if left out), recorded once.

        A conflict means that somebody else recorded something: it is decided again, never appended again. Raises
        DayInFuture: only a dry run may ask for a day to come.
        """

        def attempt() -> list[e.Fact]:
            today = legal_day(self.recorder.present(self.clock.instant()))
            if on is not None and on > today and not dry_run:
                raise errors.DayInFuture(what="the tick's day", on=on, today=today)
            certificate = self.certificate(certificate_id)
            facts = owed(certificate, on or today)
            if facts and not dry_run:
                self.save(*self._work(certificate, facts).records, now=self.clock.instant())
            return facts

        return self._until_settled(attempt)

    def certificate(self, certificate_id: UUID) -> Certificate:
        """The certificate as its stream adds up. Raises CertificateUnknown, and UnderRepair where it does not."""
        return self._summed(certificate_id, self.events.get(certificate_id))

    def _summed(self, certificate_id: UUID, history: Iterable[e.Recorded]) -> Certificate:
        try:
            found = certificates.fold(certificate_id, tuple(history))
        except Exception as error:  # a fact that cannot be read, or that no state can take in
            raise errors.UnderRepair(subject=certificate_id) from error
        if not found.history or not isinstance(found.history[0].fact, (e.ApplicationSubmitted, e.ActProposed)):
            raise errors.CertificateUnknown(certificate=certificate_id)
        return found

    def certificate_numbered(self, number: str) -> Certificate:
        """The certificate that claimed the number, as it was or is printed. Raises CertificateUnknown."""
        claim = next(iter(self.events.get(claim_id(normalise_number(number)))), None)
        if claim is None:
            raise errors.CertificateUnknown(certificate=number)
        return self.certificate(claim.fact.certificate)

    def seal_document(self, certificate_id: UUID, number: int, make: Callable[[Certificate, Document], Made]) -> Sealed:
        """The certificate, and its document made and kept: once only, in one transaction with the fact that says so.

        Raises DocumentUnknown, DocumentNeverMade, and what ``make`` raises.
        """

        def attempt() -> Sealed:
            certificate = self.certificate(certificate_id)
            document = document_of(certificate, number)
            if document.seal is not None:
                return Sealed(certificate, document, document.seal)
            if document.void:
                raise errors.DocumentNeverMade(certificate=certificate.label, document=number)
            made = make(certificate, document)
            today = legal_day(self.recorder.present(self.clock.instant()))
            facts = [*owed(certificate, today), seal_of(document, made, today)]
            kept = ("keep_document", {"content": made.content})
            self.save(*self._work(certificate, facts).records, now=self.clock.instant(), also=[kept])
            return attempt()

        return self._until_settled(attempt)

    # ---- other streams -----------------------------------------------------------------------------------------------

    def register_organisation(self, request: Request, command: c.RegisterOrganisation) -> Answer:
        id = organisations.id_of(organisations.checked_unified_code(command.unified_code))
        return self._on_other(
            request,
            command,
            lambda history: organisations.fold(id, history),
            id,
            lambda found, moment: organisations.register(found, command, moment),
        )

    def register_person(
        self, request: Request, command: c.RegisterPerson, sealed: SealedDetails | None = None
    ) -> Answer:
        """Name and contact are sealed before they come here, by ``lifecycle.persons.requests``."""
        name = command.person or persons.new_id()
        return self.on_person(
            request,
            name,
            command,
            lambda found, moment: persons.register(found, name, sealed and sealed.digest, moment),
            [sealed.kept] if sealed else (),
        )

    def declare_conflict(self, request: Request, name: str, command: c.DeclareConflict) -> Answer:
        if not self.organisation(command.organisation).version:
            raise errors.OrganisationUnknown(organisation=command.organisation)
        return self.on_person(
            request, name, command, lambda found, moment: persons.declare_conflict(found, name, command, moment)
        )

    def issue_key(self, by: e.By, command: c.IssueKey) -> tuple[str, str]:
        """A new key's id and secret; the secret is shown this once. Raises PersonUnknown, PersonErased,
        OrganisationUnknown, and Malformed unless an applicant's key, and no other, names the organisation that it is
        confined to."""
        persons.require_known(self.person(command.person), command.person)
        if (command.role == "applicant") != (command.organisation is not None):
            raise errors.Malformed(problem="the key of an applicant names its organisation, and no other key names one")
        if command.organisation is not None and not self.organisation(command.organisation).unified_code:
            raise errors.OrganisationUnknown(organisation=command.organisation)
        key, secret = f"k-{uuid4().hex[:12]}", keys.new_secret()
        row = {
            "sha256": keys.sha256_of(secret),
            "key": key,
            "person": command.person,
            "role": command.role,
            "organisation": command.organisation,
        }
        try:
            self._on_register(by, lambda moment: keys.issue(key, secret, command, moment), ("issue_key", row))
        except HolderErased:
            raise errors.PersonErased(person=command.person) from None
        return key, secret

    def revoke_key(self, by: e.By, key: str, command: c.RevokeKey) -> None:
        """The key opens nothing any more. Raises KeyUnknown where it is not in force."""
        try:
            self._on_register(by, lambda moment: keys.revoke(key, command.reason, moment), ("revoke_key", {"key": key}))
        except KeyNotInForce:
            raise errors.KeyUnknown(key=key) from None

    def signing_keys(self, known: SigningKeys | None = None) -> SigningKeys:
        """The keys with which the register signs what it answers; those ``known`` and what was recorded since."""
        keys_so_far = known or SigningKeys()
        return keys_so_far.after(self.events.get(keys.REGISTER, gt=keys_so_far.version))

    def add_signing_key(self, by: e.By, key: SigningKey, reason: str = "") -> None:
        """The key signs from now on, and the one that did before is retired."""
        self._on_register(by, lambda moment: signing_keys.add(self.signing_keys(), key, reason, moment))

    def add_first_signing_key(self, by: e.By, key: SigningKey) -> None:
        """The key signs from now on, unless another does."""
        self._on_register(by, lambda moment: signing_keys.add_first(self.signing_keys(), key, moment))

    def name_master_key(self, by: e.By, kid: str, reason: str, instead_of: str | None) -> bool:
        """Whether the keys of persons are wrapped by that master key from now on: not where ``instead_of`` is not in
        force any more."""

        def named(moment: Moment) -> list[e.Fact]:
            if self.recorder.master_key() != instead_of:
                return []
            return [e.MasterKeyChanged(**moment.stamp(moment.today), kid=kid, reason=reason)]

        return self._on_register(by, named)

    def seal_trail_reads(self) -> None:
        """Who read the trail on days gone by is sealed, once for each day."""
        reads = TrailReads(self.recorder)
        self._on_register(CLOCK, lambda moment: reads.owed(self.clock.instant()))

    def propose_edition(self, request: Request, code: str, command: c.PublishEdition) -> Answer:
        """The edition waits for another person to publish it. Raises SchemeNotKept, EditionMalformed, EditionKnown."""
        return self._on_other(
            request,
            command,
            lambda history: scheme.kept(code, history),
            scheme.id_of(code),
            lambda found, moment: scheme.propose(found, command, moment),
        )

    def approve_edition(self, request: Request, code: str, proposal: int, command: c.ApproveEdition) -> Answer:
        """The proposed edition is published, signed by both."""
        decide.require_role(request.by.role, command, decide.DUTIES[c.PublishEdition].approved_by)
        answer = self.on_stream(
            request,
            scheme.id_of(code),
            lambda history: scheme.kept(code, history),
            lambda found, moment: scheme.approve(found, proposal, command.digest, moment),
        )
        self._learn(code)
        return answer

    def reject_edition(self, request: Request, code: str, proposal: int, command: c.RejectEdition) -> Answer:
        """The proposed edition is published by nobody any more."""
        decide.require_role(request.by.role, command, decide.DUTIES[c.PublishEdition].approved_by)
        return self.on_stream(
            request,
            scheme.id_of(code),
            lambda history: scheme.kept(code, history),
            lambda found, moment: scheme.reject(found, proposal, command.reason, moment),
        )

    def scheme(self, code: str) -> Scheme:
        """The scheme as it stands. Raises SchemeNotKept: a scheme begins with an edition that ships."""
        return scheme.kept(code, self.events.get(scheme.id_of(code)))

    def organisation(self, id: UUID) -> Organisation:
        return organisations.fold(id, self.events.get(id))

    def person(self, name: str) -> persons.Person:
        id = persons.id_of(name)
        return persons.fold(id, self.events.get(id))

    # ---- how a command is carried out --------------------------------------------------------------------------------

    def _once(self, request: Request, subject: UUID, decide_on: Callable[[Begun], Work]) -> Answer:
        """The command's answer: the one on its receipt, or a new one recorded with its facts."""
        for _ in range(TRIES):
            present = self.recorder.begin_command(
                request.by.person, request.idempotency_key, subject, self.clock.instant()
            )
            if present.receipt is not None:
                return repeated(request, present.receipt)
            today = legal_day(present.instant)
            work = decide_on(Begun(today, subject, map(self.mapper.to_domain_event, present.stored)))
            answer = work.answer()
            if request.dry_run:
                return answer
            try:
                recordings = self.save(
                    *work.records,
                    receipt=receipt_of(request, answer),
                    decided_on=today,
                    now=self.clock.instant(),
                    also=work.also,
                )
            except (ReceiptExists, DayTurned):
                continue
            except VersionConflict:
                self._require_unmoved(request, work)
                continue
            return msgspec.structs.replace(answer, position=recordings[-1].notification.id)
        raise errors.LostRace(certificate=work.subject)

    def _require_unmoved(self, request: Request, work: Work) -> None:
        """After a conflict: raises LostRace if the subject itself moved and the command was not recorded after all."""
        receipt = self.recorder.find_receipt(request.by.person, request.idempotency_key)
        latest = self.recorder.select_events(work.subject, desc=True, limit=1)
        if receipt is None and latest and latest[0].originator_version != work.version:
            raise errors.LostRace(certificate=work.subject)

    def _until_settled(self, attempt: Callable[[], Any]) -> Any:
        for _ in range(TRIES):
            try:
                return attempt()
            except (VersionConflict, DayTurned):
                continue
        return attempt()

    def _on_certificate(self, request: Request, command: c.Command, begun: Begun) -> Work:
        if isinstance(command, c.SubmitApplication):
            self._learn(command.scheme)
        certificate = self._subject(request, command, begun)
        self._require_version(request, certificate)
        moment = self._moment(request, begun.today, command, certificate)
        propose = decide.needs_second(certificate, command, moment)
        facts = (decide.propose if propose else decide.decide)(certificate, command, moment)
        self._require_kept(certificate, facts)
        work = self._work(certificate, facts)
        if isinstance(command, c.SubmitApplication):
            enter_application(self, Work(certificate.id, 0) if propose else work, command, moment)
        entail(self, work, certificate, facts, moment)
        return work

    def _approved(self, request: Request, number: int, command: c.Approve, begun: Begun) -> Work:
        certificate = self._owned(request, begun)
        self._require_version(request, certificate)
        proposal = decide.open_proposal(certificate, number, begun.today)
        proposed = decide.command_of(proposal)
        moment = self._moment(request, begun.today, proposed, certificate, (proposal.proposed.by.person,))
        facts = decide.approve(certificate, number, command.digest, moment)
        self._require_kept(certificate, facts)
        work = self._work(certificate, facts)
        if isinstance(proposed, c.SubmitApplication):
            enter_application(self, work, proposed, moment)
        entail(self, work, certificate, facts, moment)
        return work

    def _require_kept(self, certificate: Certificate, facts: Iterable[e.Fact]) -> None:
        """Raises NoticeNotKept where a fact says that a notice was served of which nobody has the bytes."""
        for fact in facts:
            if isinstance(fact, e.HolderNotified) and fact.notice_sha256 is not None:
                with self.recorder.connection() as connection:
                    found = files.kept(connection, [fact.notice_sha256])
                if not found:
                    raise errors.NoticeNotKept(sha256=fact.notice_sha256, certificate=certificate.id, of=fact.of)

    def _work(self, certificate: Certificate, facts: Sequence[e.Fact]) -> Work:
        """The facts, after those that the certificate's stream holds already."""
        stored = len(certificate.history)
        work = Work(certificate.id, stored)
        work.add(certificate.id, stored, facts)
        return work

    def _subject(self, request: Request, command: c.Command, begun: Begun) -> Certificate:
        if not isinstance(command, c.SubmitApplication):
            return self._owned(request, begun)
        if request.organisation is not None and command.organisation != request.organisation:
            raise errors.OrganisationUnknown(organisation=command.organisation)
        if command.kind == "initial":
            return Certificate(begun.subject)
        certificate = self._owned(request, begun)
        if certificate.organisation != command.organisation:
            raise errors.CertificateUnknown(certificate=begun.subject)
        return certificate

    def _owned(self, request: Request, begun: Begun) -> Certificate:
        """The certificate, if the asker may know of it."""
        certificate = self._summed(begun.subject, begun.history)
        if request.organisation is not None and certificate.organisation != request.organisation:
            raise errors.CertificateUnknown(certificate=begun.subject)
        return certificate

    def _require_version(self, request: Request, certificate: Certificate) -> None:
        if request.if_match is not None and request.if_match != certificate.version:
            raise errors.StaleVersion(
                certificate=certificate.label, version=certificate.version, expected=request.if_match
            )

    def _moment(
        self,
        request: Request,
        today: date,
        command: c.Command | None = None,
        certificate: Certificate | None = None,
        proposers: tuple[str, ...] = (),
    ) -> Moment:
        concerned = self._concerned(_persons(command) | {request.by.person, *proposers} if command else (), command)
        return Moment(
            today=today,
            by=request.by,
            cause=e.Cause("request", request.idempotency_key, request.body_sha256),
            editions=self.editions,
            number=self._next_number(command, certificate, today),
            conflicts={name: each.conflicts_on(today) for name, each in concerned.items()},
            erased=frozenset(name for name, each in concerned.items() if each.erased_on),
            glyphs=self.glyphs,
        )

    def _concerned(self, names: Iterable[str], command: c.Command | None) -> dict[str, persons.Person]:
        """The registered ones among them, where the command asks for persons."""
        found = {name: self.person(name) for name in sorted(names)} if type(command) in _CONCERNS_PERSONS else {}
        return {name: each for name, each in found.items() if each.version}

    def _next_number(self, command: c.Command | None, certificate: Certificate | None, today: date) -> str | None:
        """The next free number of the year, where the command may print one."""
        if not isinstance(command, (c.Issue, c.Decide)) or certificate is None or not certificate.edition:
            return None
        year = (command.effective_on or today).year
        _, serial = self.series(certificate.scheme, year)
        return self.editions[certificate.edition].number(year, serial + 1)

    def series(self, scheme: str, year: int) -> tuple[UUID, int]:
        """The series' stream, and its last serial, which is its version."""
        id = series_id(scheme, year)
        last = self.recorder.select_events(id, desc=True, limit=1)
        return id, last[0].originator_version if last else 0

    # ---- persons, keys, editions -------------------------------------------------------------------------------------

    def on_person(
        self,
        request: Request,
        name: str,
        command: c.Command,
        facts: Callable[[persons.Person, Moment], list[e.Fact]],
        also: Sequence[Beside] = (),
    ) -> Answer:
        """What ``facts`` decides on the person with that id is recorded, once, ``also`` beside it."""
        id = persons.id_of(name)
        return self._on_other(request, command, lambda history: persons.fold(id, history), id, facts, also)

    def _on_other(
        self,
        request: Request,
        command: c.Command,
        fold: Callable[[Iterable[e.Recorded]], Any],
        id: UUID,
        facts: Callable[[Any, Moment], list[e.Fact]],
        also: Sequence[Beside] = (),
    ) -> Answer:
        """A command of one person on a stream that is no certificate: ``fold`` adds it up, ``facts`` decides."""

        decide.require_role(request.by.role, command, decide.DUTIES[type(command)].by)
        return self.on_stream(request, id, fold, facts, also)

    def on_stream(
        self,
        request: Request,
        id: UUID,
        fold: Callable[[Iterable[e.Recorded]], Any],
        facts: Callable[[Any, Moment], list[e.Fact]],
        also: Sequence[Beside] = (),
    ) -> Answer:
        """What ``facts`` decides on the stream, as ``fold`` adds it up, is recorded, once, ``also`` beside it."""

        def work(begun: Begun) -> Work:
            found = fold(begun.history)
            made = Work(found.id, found.version, also=also)
            made.add(found.id, found.version, facts(found, self._moment(request, begun.today)))
            return made

        return self._once(request, id, work)

    def add_to(
        self, stands: Callable[[], Any], facts: Callable[[Any, Moment], list[e.Fact]], by: e.By, cause: e.Cause
    ) -> None:
        """What ``facts`` decides on what ``stands`` reads is recorded, by somebody whom nobody waits to be answered."""

        def attempt() -> None:
            today = legal_day(self.recorder.present(self.clock.instant()))
            found = stands()
            work = Work(found.id, found.version)
            work.add(found.id, found.version, facts(found, Moment(today, by, cause, self.editions)))
            if work.records:
                self.save(*work.records, decided_on=today, now=self.clock.instant())

        self._until_settled(attempt)

    def _on_register(
        self, by: e.By, facts: Callable[[Moment], list[e.Fact]], also: tuple[str, dict[str, Any]] | None = None
    ) -> bool:
        """Whether there was anything to record."""

        def attempt() -> bool:
            today = legal_day(self.recorder.present(self.clock.instant()))
            moment = Moment(today=today, by=by, cause=e.Cause("request", uuid4().hex), editions=self.editions)
            last = self.recorder.select_events(keys.REGISTER, desc=True, limit=1)
            work = Work(keys.REGISTER, last[0].originator_version if last else 0)
            work.add(keys.REGISTER, work.version, facts(moment))
            if work.records:
                self.save(*work.records, now=self.clock.instant(), also=[also] if also else [])
            return bool(work.records)

        return self._until_settled(attempt)

    def _learn(self, code: str) -> None:
        """All editions of the scheme that were published by now are known, also those published elsewhere."""
        since = list(self.events.get(scheme.id_of(code), gt=self._learnt.get(code, 0)))
        if since:
            self.editions |= scheme.fold(since)
            self._learnt[code] = since[-1].version

    def _publish(self, code: str, shipped: dict[str, Edition]) -> None:
        id = scheme.id_of(code)
        history = list(self.events.get(id))
        published = scheme.fold(history)
        moment = Moment(
            today=legal_day(self.recorder.present(self.clock.instant())),
            by=e.By("certlife", "scheme_manager", "shipped"),
            cause=e.Cause("import", "shipped"),
            editions={},
        )
        facts = scheme.publish(published, [x for x in shipped.values() if x.scheme == code], moment)
        if facts:
            work = Work(id, len(history))
            work.add(id, len(history), facts)
            self.save(*work.records, now=self.clock.instant())
        self.editions |= published | {x.id: x for x in shipped.values() if x.scheme == code}


class PublishedEditions(dict[str, Edition]):
    """The editions by id. One that is not known yet may have been published by another process: it is looked for."""

    def __init__(self, learn: Callable[[str], None]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, id: str) -> Edition:
        self._learn(id.partition(":")[0])
        return dict(self)[id]


def _persons(command: c.Command | None) -> frozenset[str]:
    return frozenset(getattr(command, "team", None) or ())


_CONCERNS_PERSONS = frozenset(
    {c.Plan, c.RecordAssessment, c.ReviewAssessment, c.DecideDispute, c.ProceedToWithdrawal}
) | {command for command, duty in decide.DUTIES.items() if duty.approved_by}
"""Commands that ask whether somebody declared a conflict of interest."""
