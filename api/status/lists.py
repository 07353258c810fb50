"""Signed status lists: two bits for every certificate number, for checks without a connection.

IETF Token Status List, draft-ietf-oauth-status-list-18. A token holds for one legal day, at the end of which it runs
out. It is made anew when an entry or the day has changed, once a minute at most, kept to the byte, and never made
again: what was given out at a past instant is found under that instant. What is not known to be right is not given out.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response
from psycopg import Connection

from api.query import is_among
from api.signing import EVERYWHERE, Signer
from api.status.answers import FRESH
from api.status.list_entries import Entries, claim, entries_on
from api.status.places import Places
from lifecycle.errors import Malformed, Refusal
from lifecycle.events import ONE_DAY
from lifecycle.periods import day_start, legal_day
from lifecycle.service import Register
from lifecycle.sql import load

SQL = load("status_list", "api.status")
LIST_TOKEN = "statuslist+jwt"  # noqa: S105  a type of token
MEDIA_TYPE = "application/statuslist+jwt"
DOCUMENTED: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}}
NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
SECONDS = re.compile(r"[0-9]{1,11}")
FOR_EVER = "public, max-age=31536000, immutable"
TIME_TO_LIVE = timedelta(minutes=5)
ONCE_A_MINUTE = timedelta(minutes=1)
LOOKED_AT_AGAIN = timedelta(minutes=10)
CONFIRMED_EVERY = timedelta(seconds=30)

_encode = msgspec.json.Encoder().encode


class StatusListUnknown(Refusal):
    code = "status_list_unknown"
    kind = "not_found"
    en = "There is no status list {list}. Those there are stand at {all_lists}."
    zh = "没有状态清单 {list}。现有清单见 {all_lists}。"


class NoStatusListThen(Refusal):
    code = "no_status_list_then"
    kind = "not_found"
    en = "No token of status list {list} held at {instant}."
    zh = "状态清单 {list} 在 {instant} 没有有效的令牌。"


class InstantInFuture(Refusal):
    code = "instant_in_future"
    kind = "invalid"
    en = "What a status list will say at {instant} is not known. It is {now}."
    zh = "无法得知状态清单在 {instant} 的内容。现在是 {now}。"


class StatusListStale(Refusal):
    code = "status_list_stale"
    kind = "unavailable"
    en = "The last token of status list {list} is known to be right until {true_until} only. Ask again in a moment."
    zh = "状态清单 {list} 的最新令牌仅确认至 {true_until} 有效。请稍后重试。"


class Token(NamedTuple):
    """A token as it is given out; ``settled`` once another has followed it: its instants are its own for ever."""

    signed: bytes
    settled: bool


class Last(NamedTuple):
    """The last token of a list, and until when it is known to be right."""

    expires_at: datetime
    content: bytes
    signed: bytes
    true_until: datetime

    def says(self, content: bytes, now: datetime) -> bool:
        return self.content == content and self.expires_at > now


class Standing(NamedTuple):
    """What an entry depends on: how far the register has come, the legal day; and the key that signs."""

    position: int
    on: date
    kid: str


class Looked(NamedTuple):
    """A look at the register: when, at what standing, what it said, and until when that was confirmed."""

    at: datetime
    standing: Standing
    content: bytes
    confirmed_until: datetime


@dataclass
class StatusLists:
    """The lists of a register, kept in the database, made by whichever process comes first."""

    register: Register
    signer: Signer
    places: Places
    simulation: bool
    _looked: dict[int, Looked] = field(default_factory=dict)

    def _connection(self) -> AbstractContextManager[Connection]:
        return self.register.recorder.connection()

    # ---- giving out ----

    def now(self) -> datetime:
        return self.register.recorder.present(self.register.clock.instant())

    def current(self, number: int) -> Token:
        """The token that holds now. Raises StatusListUnknown, StatusListStale."""
        now = self.now()
        with self._connection() as connection:
            last = _last(connection, number)
        if last is None:
            raise StatusListUnknown(list=number, all_lists=self.places.all_lists)
        if last.expires_at <= now or now - last.true_until > FRESH:
            raise StatusListStale(list=number, true_until=last.true_until)
        return Token(last.signed, settled=False)

    def then(self, number: int, instant: datetime) -> Token:
        """The token that held at that instant, as it was given out. Raises NoStatusListThen."""
        with self._connection() as connection:
            row = connection.execute(SQL["select_then"], {"list": number, "instant": instant}).fetchone()
        if row is None or row[0] <= instant:
            raise NoStatusListThen(list=number, instant=instant.isoformat())
        return Token(row[1], settled=row[2])

    def uris(self) -> list[str]:
        """The address of every list."""
        with self._connection() as connection:
            rows = connection.execute(SQL["select_lists"]).fetchall()
        return [self.places.uri(number) for (number,) in rows]

    # ---- making ----

    def publish(self) -> int:
        """Every list says what the register says, as far as that is known; answers how many tokens were made.

        One that was looked at less than a minute ago waits, unless its day is over. Raises PlacesMissing.
        """
        with self._connection() as connection:
            now, kid = self.now(), self.signer.kid
            position, complete_until, last_place = connection.execute(SQL["select_standing"]).fetchone() or 3 * (None,)
            if kid is None or last_place is None or complete_until is None or now - complete_until > FRESH:
                return 0
        standing = Standing(position, legal_day(now), kid)
        lists = range(last_place // self.places.entries_per_list + 1)
        return sum(self._bring_up(each, standing, now, complete_until) for each in lists)

    def _bring_up(self, number: int, standing: Standing, now: datetime, complete_until: datetime) -> bool:
        """Whether a token was made."""
        with self._connection() as connection:
            return self._brought_up(connection, number, standing, now, complete_until)

    def _brought_up(
        self, connection: Connection, number: int, standing: Standing, now: datetime, complete_until: datetime
    ) -> bool:
        looked = self._looked.get(number)
        if looked is None or looked.standing.on != standing.on:
            return self._look(connection, number, standing, now)
        pause = LOOKED_AT_AGAIN if looked.standing == standing else ONCE_A_MINUTE
        if now - looked.at >= pause:
            return self._look(connection, number, standing, now)
        if looked.standing == standing and complete_until - looked.confirmed_until >= CONFIRMED_EVERY:
            self._confirm(connection, number, looked.content, complete_until)
            self._looked[number] = looked._replace(confirmed_until=complete_until)
        return False

    def _look(self, connection: Connection, number: int, standing: Standing, now: datetime) -> bool:
        """Whether a token was made, because the last one does not say what the register says."""
        entries = entries_on(connection, self.places.range_of(number), standing.on)
        standing = standing._replace(position=entries.position)
        content = sha256(_encode((standing.on, standing.kid, entries.said))).digest()
        self._looked[number] = Looked(now, standing, content, entries.complete_until)
        last = _last(connection, number)
        if last is not None and last.says(content, now):
            self._confirm(connection, number, content, entries.complete_until)
            return False
        made = self._make(connection, number, entries, content, now)
        if not made:  # another process was faster, less than a minute ago: it is looked at again in a minute
            self._looked[number] = Looked(now, standing._replace(position=-1), content, entries.complete_until)
        return made

    def _make(self, connection: Connection, number: int, entries: Entries, content: bytes, now: datetime) -> bool:
        """Whether the token was kept."""
        made_at = now.astimezone(UTC).replace(microsecond=0)
        on = legal_day(now)
        expires_at = day_start(on + ONE_DAY)
        claims = {
            "iss": self.places.public_url,
            "sub": self.places.uri(number),
            "iat": int(made_at.timestamp()),
            "exp": int(expires_at.timestamp()),
            "ttl": int(TIME_TO_LIVE.total_seconds()),
            "status_list": claim(entries.said) | {"aggregation_uri": self.places.all_lists},
            "on": on,
            "position": entries.position,
            "complete_until": entries.complete_until,
            "simulation": self.simulation,
        }
        values = {
            "list": number,
            "made_at": made_at,
            "expires_at": expires_at,
            "content": content,
            "token": self.signer.sign(_encode(claims), LIST_TOKEN),
            "true_until": entries.complete_until,
        }
        (kept,) = connection.execute(SQL["keep_list"], values).fetchone() or (False,)
        return kept

    def _confirm(self, connection: Connection, number: int, content: bytes, true_until: datetime) -> None:
        values = {"list": number, "content": content, "true_until": true_until}
        connection.execute(SQL["confirm_list"], values)


def _last(connection: Connection, number: int) -> Last | None:
    row = connection.execute(SQL["select_last"], {"list": number}).fetchone()
    return Last(*row) if row else None


def router(lists: StatusLists) -> APIRouter:
    """The addresses of the lists."""
    routes = APIRouter()

    @routes.get("/status-lists", tags=["published"], response_model=None)
    def all_lists() -> Response:
        """The address of every status list."""
        headers = EVERYWHERE | {"Cache-Control": "no-cache"}
        return Response(_encode({"status_lists": lists.uris()}), headers=headers, media_type="application/json")

    @routes.get("/status-lists/{number}", tags=["published"], response_class=Response, responses=DOCUMENTED)
    def status_list(request: Request, number: str, time: str | None = None) -> Response:
        """A signed status list, as it is now or as it was given out at a ``time`` in seconds since 1970."""
        if not NUMBER.fullmatch(number):
            raise StatusListUnknown(list=ascii(number[:40])[1:-1], all_lists=lists.places.all_lists)
        token = lists.current(int(number)) if time is None else lists.then(int(number), _instant(time, lists.now()))
        tag = f'"{sha256(token.signed).hexdigest()[:32]}"'
        headers = EVERYWHERE | {"ETag": tag, "Cache-Control": FOR_EVER if token.settled else "no-cache"}
        if is_among(tag, request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(token.signed, headers=headers, media_type=MEDIA_TYPE)

    return routes


def _instant(time: str, now: datetime) -> datetime:
    """The instant so many seconds after 1970. Raises Malformed, InstantInFuture."""
    if not SECONDS.fullmatch(time):
        raise Malformed(problem="time must be a whole number of seconds since 1970-01-01T00:00:00Z")
    instant = datetime.fromtimestamp(int(time), UTC)
    if instant > now:
        raise InstantInFuture(instant=instant.isoformat(), now=now.isoformat())
    return instant
