"""What is logged: lines for whoever keeps the service, without a word of what a request brought.

Tracebacks are plain. structlog's own, where rich is installed, print every local variable of every frame: the keys of
callers among them, and what signs. Values are quoted: an address asked for may hold anything.
"""

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import TimeStamper, add_log_level


def begin() -> None:
    """From now on this process logs so, unless whoever started it has settled how it logs."""
    if not structlog.is_configured():
        stamp = TimeStamper(fmt="iso", utc=True)
        lines = ConsoleRenderer(colors=False, repr_native_str=True, exception_formatter=plain_traceback)
        structlog.configure(processors=[add_log_level, stamp, lines])
