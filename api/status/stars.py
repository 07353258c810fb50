"""The stars of every level, edition by edition, also of editions published since the process began."""

from collections.abc import Iterator, Mapping

from lifecycle.rules import Edition

Levels = Mapping[str, int | None]


class StarsByEdition(Mapping[str, Levels]):
    """An edition not known yet is looked for by ``editions``; packed for another process, it is what is known."""

    def __init__(self, editions: Mapping[str, Edition]) -> None:
        self._editions = editions
        self._known: dict[str, Levels] = {}

    def __getitem__(self, id: str) -> Levels:
        if id not in self._known:
            self._known[id] = {code: level.stars for code, level in self._editions[id].levels.items()}
        return self._known[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._editions)

    def __len__(self) -> int:
        return len(self._editions)

    def __reduce__(self) -> tuple[type[dict[str, Levels]], tuple[dict[str, Levels]]]:
        return dict, (dict(self),)
