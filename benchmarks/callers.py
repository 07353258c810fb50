"""Many callers of one HTTP server, in a process of their own: how many answers a second, and how long each took.

The questions come by a pipe, as one JSON object; the outcome goes out the same way. Each connection asks one question
at a time, over HTTP/1.1 kept alive; every answer is read whole, and counted as failed unless it is the one expected.
"""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

import uvloop

LENGTH = b"content-length: "


@dataclass(frozen=True)
class Questions:
    """What is asked: of the server at ``port``, paths picked at random, each expected to be answered with ``status``
    and to have its own word in its body; with ``tags``, each also brings the tag of its path.

    ``rate`` questions a second are sent when their time comes, and their time counts from then; without it each caller
    asks as soon as it was answered.
    """

    port: int
    paths: Sequence[str]
    words: Sequence[str]
    seconds: float
    connections: int = 32
    status: int = 200
    tags: Sequence[str] = ()
    accept: str = "application/json"
    rate: float | None = None
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """How it went: answers a second, failures, and the middle and the worst hundredth of the times, in seconds."""

    rate: float
    failed: int
    p50: float
    p99: float


def call(questions: Questions) -> Outcome:
    """Asked by a new process."""
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(command, input=json.dumps(asdict(questions)), stdout=subprocess.PIPE, text=True, check=True)
    return Outcome(**json.loads(done.stdout))


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.received = b""
        self.asked: tuple[int, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, since: float) -> None:
        """The next question; its time counts from ``since``."""
        index = self.crowd.pick()
        self.asked = index, since
        self.transport.write(self.crowd.requests[index])

    def data_received(self, data: bytes) -> None:
        self.received = received = self.received + data if self.received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        end += 4
        at = received.find(LENGTH, 0, end)
        if at >= 0:
            length = int(received[at + len(LENGTH) : received.index(b"\r", at)])
            if len(received) < end + length:
                return
        self.received = b""
        index, since = self.asked
        self.asked = None
        self.crowd.answered(self, index, since, received[9:12], received[end:])

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.lost(self)


class Crowd:
    """All callers, and what they were told."""

    def __init__(self, questions: Questions) -> None:
        self.status = str(questions.status).encode()
        self.words = [word.encode() for word in questions.words] if questions.status == 200 else []
        self.requests = list(_requests(questions))
        self.rate = questions.rate
        self.times: list[float] = []
        self.failed = 0
        self.stopped = False
        self.idle: list[Caller] = []
        self.late: list[float] = []
        chosen = random.Random(questions.seed)
        self.pick = lambda: int(chosen.random() * len(self.requests))

    def answered(self, caller: Caller, index: int, since: float, status: bytes, body: bytes) -> None:
        now = perf_counter()
        self.times.append(now - since)
        if status != self.status or (self.words and self.words[index] not in body):
            self.failed += 1
        if self.stopped:
            return
        if self.rate is None:
            caller.ask(now)
        elif self.late:
            caller.ask(self.late.pop(0))
        else:
            self.idle.append(caller)

    def lost(self, caller: Caller) -> None:
        if not self.stopped:
            self.failed += 1

    async def ask(self, questions: Questions) -> Outcome:
        loop = asyncio.get_running_loop()
        callers = [
            (await loop.create_connection(lambda: Caller(self), "127.0.0.1", questions.port))[1]
            for _ in range(questions.connections)
        ]
        began = perf_counter()
        if self.rate is None:
            for caller in callers:
                caller.ask(perf_counter())
            await asyncio.sleep(questions.seconds)
        else:
            self.idle = callers
            await self._pace(began, questions.seconds)
        self.stopped = True
        took = perf_counter() - began
        answers, self.times = len(self.times), sorted(self.times) or [0.0]
        for caller in callers:
            caller.transport.abort()
        middle, worst = self.times[len(self.times) // 2], self.times[int(len(self.times) * 0.99)]
        return Outcome(answers / took, self.failed, middle, worst)

    async def _pace(self, began: float, seconds: float) -> None:
        """Questions at their times; those for which no caller is free wait, and their time runs."""
        interval, sent = 1 / self.rate, 0
        while (now := perf_counter()) < began + seconds:
            while began + sent * interval <= now:
                due = began + sent * interval
                sent += 1
                if self.idle:
                    self.idle.pop(0).ask(due)
                else:
                    self.late.append(due)
            await asyncio.sleep(max(0.0, began + sent * interval - perf_counter()))


def _requests(questions: Questions) -> list[bytes]:
    lines = f"Host: 127.0.0.1\r\nUser-Agent: callers\r\nAccept: {questions.accept}\r\n"
    tags = questions.tags or [""] * len(questions.paths)
    return [
        f"GET {path} HTTP/1.1\r\n{lines}{f'If-None-Match: {tag}' + chr(13) + chr(10) if tag else ''}\r\n".encode()
        for path, tag in zip(questions.paths, tags, strict=True)
    ]


if __name__ == "__main__":
    asked = Questions(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(Crowd(asked).ask(asked)))))
