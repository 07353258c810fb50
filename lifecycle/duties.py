"""Who may ask for what: one table, read at the edge and again where the decision is made.

``by`` are the roles that may do the act, or propose it where two persons sign; ``approved_by`` are the roles of the
second person, and is empty where one person is enough. Source: interface.md, "Who"; the law wants conclusions signed by
two persons (Regulation on Certification and Accreditation, art. 22).
"""

from typing import Final, NamedTuple

from lifecycle import commands as c
from lifecycle.events import Role

Roles = frozenset[Role]


class Duty(NamedTuple):
    """The roles that may do an act, and those of the second person where two sign."""

    by: Roles
    approved_by: Roles = frozenset()


def _roles(*roles: Role) -> Roles:
    return frozenset(roles)


_REGISTRAR = Duty(_roles("registrar"))
_HOLDER = Duty(_roles("applicant", "registrar"))
_TEAM = Duty(_roles("assessor"))
_ADMINISTRATOR = Duty(_roles("administrator"))
_DECISION = Duty(_roles("decision_maker"))
_SCHEME = _roles("scheme_manager")
_TWO = Duty(_roles("decision_maker"), _roles("decision_maker"))

DUTIES: Final[dict[type[c.Command], Duty]] = {
    c.RegisterOrganisation: _REGISTRAR,
    c.RegisterPerson: _ADMINISTRATOR,
    c.GiveDetails: _ADMINISTRATOR,
    c.ErasePerson: _ADMINISTRATOR,
    c.DeclareConflict: _REGISTRAR,
    c.IssueKey: _ADMINISTRATOR,
    c.RevokeKey: _ADMINISTRATOR,
    c.SubmitApplication: _HOLDER,
    c.ReviewApplication: _REGISTRAR,
    c.WithdrawApplication: _HOLDER,
    c.Plan: _REGISTRAR,
    c.RecordAssessment: _TEAM,
    c.CloseNonconformity: _TEAM,
    c.ReviewAssessment: Duty(_roles("assessor", "decision_maker")),
    c.Decide: _TWO,
    c.Issue: _REGISTRAR,
    c.Reissue: _REGISTRAR,
    c.RequestVisit: _REGISTRAR,
    c.Suspend: _TWO,
    c.ExtendSuspension: _TWO,
    c.Reinstate: _TWO,
    c.ProceedToWithdrawal: _DECISION,
    c.Withdraw: _TWO,
    c.Cancel: _HOLDER,
    c.Notify: _REGISTRAR,
    c.LodgeAppeal: _HOLDER,
    c.LodgeComplaint: _HOLDER,
    c.DecideDispute: _DECISION,
    c.Correct: Duty(_roles("registrar", "decision_maker"), _roles("decision_maker")),
    c.PublishEdition: Duty(_SCHEME, _SCHEME),
    c.Rehearse: Duty(_SCHEME),
    c.ApproveRehearsal: Duty(_roles("scheme_manager", "decision_maker")),
    c.Adopt: Duty(_SCHEME),
}

ON_BEHALF: Final = frozenset({c.SubmitApplication, c.WithdrawApplication, c.Cancel, c.LodgeAppeal, c.LodgeComplaint})
"""Acts of the holder: a registrar who does one on its behalf gives the digest of the request (``request_sha256``)."""
