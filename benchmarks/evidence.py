"""The dispute bundle of a certificate with 100 events, out of a log of so many; and the check of it by ``verify.py``.

Each round makes the finished zip, with proofs, editions, a document and the record of the fetch. The other side of the
first figure is the most that it may take; of the others there is none.
"""

from time import perf_counter
from typing import Any

from api.evidence.verify import checked, named_key
from api.house import House
from api.identity import OPERATOR
from benchmarks.ground import figure, ground, middle
from benchmarks.register import filled
from benchmarks.trail import long_life
from projections import checkpoints

ROUNDS = 5
EVENTS = 100_000
MOST_MILLISECONDS = 2_000


def run(events: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of rounds and the figures; ``events`` is how many the log has."""
    with ground() as house:
        filled(house, events or EVENTS)
        certificate = long_life(house)
        for signer in (*house.publishing.signers, house.checkpoints.signer):
            signer.begin()
        house.documents.current(OPERATOR, certificate, 1)
        house.catch_up()
        making, checking, bundle = [], [], b""
        given, size, count = _outside(house), 0, 0
        for _ in range(ROUNDS):
            began = perf_counter()
            made = house.evidence.bundle(OPERATOR, certificate)
            with made.file:
                bundle, size, count = made.file.read(), made.size, made.events
            making.append((perf_counter() - began) * 1000)
            began = perf_counter()
            list(checked(bundle, *given))
            checking.append((perf_counter() - began) * 1000)
    return ROUNDS, [
        figure("bundle_milliseconds", middle(making), MOST_MILLISECONDS, "ms"),
        figure("verify_milliseconds", middle(checking), MOST_MILLISECONDS, "ms"),
        figure("bundle_events", count, count, "events"),
        figure("bundle_bytes", size, size, "bytes"),
    ]


def _outside(house: House) -> tuple[list[Any], list[str]]:
    """The key and the checkpoint that somebody else holds; the checkpoint is signed now."""
    house.checkpoints.round()
    with house.register.recorder.connection() as connection:
        keys = [named_key(str(key)) for key in house.checkpoints.verifier_keys(connection)]
        return keys, [checkpoints.note(connection, None).text]
