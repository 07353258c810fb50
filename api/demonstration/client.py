"""A caller of the HTTP service: what the demonstration uses, over a real connection."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen
from uuid import uuid4


class Refused(Exception):
    """The service refused; ``problem`` is its application/problem+json."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")


@dataclass(frozen=True, slots=True)
class Client:
    """One service, with the secret of each person's key by the person's name."""

    url: str
    secrets: dict[str, str]

    def get(self, path: str, person: str | None = None, **query: Any) -> dict[str, Any]:
        """The JSON answer. Raises Refused."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._send(Request(f"{self.url}{quote(path)}" + (f"?{urlencode(asked)}" if asked else "")), person)

    def post(self, path: str, person: str, **body: Any) -> dict[str, Any]:
        """The JSON answer to a command, sent with an idempotency key of its own. Raises Refused."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        return self._send(Request(f"{self.url}{path}", json.dumps(body).encode(), headers, method="POST"), person)

    def both(self, path: str, persons: tuple[str, str], **body: Any) -> dict[str, Any]:
        """The answer to an act that two persons sign: the first proposes, the second approves."""
        proposed = self.post(path, persons[0], **body)
        approval = f"/certificates/{proposed['certificate_id']}/proposals/{proposed['proposal']}/approvals"
        return self.post(approval, persons[1], digest=proposed["digest"])

    def _send(self, request: Request, person: str | None) -> dict[str, Any]:
        if person is not None:
            request.add_header("Authorization", f"Bearer {self.secrets[person]}")
        try:
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None
