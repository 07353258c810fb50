"""What the look-up is measured against, each served by the same server with the same settings, one worker, alone.

``python -m benchmarks.peers raw|pool PORT LENGTH [DATABASE]``
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from psycopg_pool import AsyncConnectionPool

from lifecycle.sql import load

SQL = load("lookup", "benchmarks")
CONNECTIONS = 8


def raw(length: int) -> Any:
    """An ASGI application that returns constant bytes: the floor."""
    body = b"x" * length
    headers = [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def pool(database: str) -> FastAPI:
    """As it is usually built: a route, a pool of connections, one row by its primary key, the same bytes."""
    connections = AsyncConnectionPool(database, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with connections:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/status/{number}", response_model=None)
    async def status(number: str) -> Response:
        async with connections.connection() as connection:
            cursor = await connection.execute(SQL["select_answer"], {"number": number})
            row = await cursor.fetchone()
        return Response(row[0], media_type="application/json") if row else Response(status_code=404)

    return app


def main(kind: str, port: str, length: str, database: str = "") -> None:
    app = raw(int(length)) if kind == "raw" else pool(database)
    uvicorn.run(
        app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, server_header=False,
        proxy_headers=False, lifespan="off" if kind == "raw" else "on",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
