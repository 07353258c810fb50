"""A file of kept histories: gzipped lines of JSON, the first the texts of the editions, each other one a history."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from api.terminal import Unfit
from lifecycle.rehearsal.same import Kept
from lifecycle.rules import Edition, load_edition

EXPECTED = Path("tests/corpus/histories.jsonl.gz")

_editions = msgspec.json.Decoder(dict[str, str])
_kept = msgspec.json.Decoder(Kept)


def read_corpus(path: Path) -> tuple[dict[str, Edition], Iterator[Kept]]:
    """The editions and the histories. Raises Unfit where the file is something else."""
    try:
        first, *lines = gzip.decompress(path.read_bytes()).splitlines()
        texts = _editions.decode(first)
        return {id: load_edition(text, file=id) for id, text in texts.items()}, map(_kept.decode, lines)
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise Unfit(f"{path} is no corpus of histories: {error}") from error


def write_corpus(path: Path, editions: Mapping[str, Edition], histories: Iterable[Kept]) -> int:
    """The file, the same to the byte for the same histories; answers how many bytes it has."""
    texts = msgspec.json.encode({id: edition.text for id, edition in sorted(editions.items())})
    packed = gzip.compress(b"\n".join((texts, *map(msgspec.json.encode, histories))) + b"\n", compresslevel=9, mtime=0)
    return path.write_bytes(packed)
