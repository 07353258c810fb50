"""A program: the digest of all read models as they come out of a log from nothing. ``python -m ... URL BATCH``."""

import sys
from hashlib import sha256

from projections.engine import connect
from tests.projections.tables import rebuilt

if __name__ == "__main__":
    _, url, batch = sys.argv
    with connect(url) as connection:
        print(sha256(repr(rebuilt(connection, int(batch))).encode()).hexdigest())
