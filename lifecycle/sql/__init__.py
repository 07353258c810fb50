"""SQL lives in .sql files, each statement under a name: those of the log beside this file, others in their own rooms.

A file reads: one line that tells the purpose, ``-- name: verb_object``, the statement.
"""

import re
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PURPOSE_OF_THE_NEXT = re.compile(r"(\n--[^\n]*)*\s*\Z")


@cache
def load(file: str, package: str = __name__) -> MappingProxyType[str, LiteralString]:
    """Answers the statements of ``<file>.sql``, in this package or another, by name.

    A name that stands twice is refused with ValueError.
    """
    _, *parts = _NAME.split(files(package).joinpath(f"{file}.sql").read_text("utf-8"))
    names, texts = parts[::2], parts[1::2]
    if len(set(names)) < len(names):
        raise ValueError(f"{file}.sql names a statement twice: {sorted(names)}")
    statements = {name: _PURPOSE_OF_THE_NEXT.sub("", text).strip() for name, text in zip(names, texts, strict=True)}
    return MappingProxyType(cast("dict[str, LiteralString]", statements))
