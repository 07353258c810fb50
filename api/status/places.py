"""Where a certificate number stands in the status lists: its list's address, and its index in it.

Numbers are listed in the order in which they were claimed, so many to a list. A list of that size never grows past the
128,000 bytes that verifying libraries take as a payload, however badly it compresses.
"""

from dataclasses import dataclass

import msgspec

ENTRIES_PER_LIST = 2**18


class Place(msgspec.Struct, frozen=True, gc=False):
    """A number's entry: the address of its list, and its index there."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class Places:
    """The places of numbers in the lists of a register that is reached at ``public_url``."""

    public_url: str
    entries_per_list: int = ENTRIES_PER_LIST

    def of(self, list_index: int | None) -> Place | None:
        """The place of the number claimed as the so-manieth (from 0); None for one never claimed."""
        if list_index is None:
            return None
        number, index = divmod(list_index, self.entries_per_list)
        return Place(self.uri(number), index)

    def uri(self, number: int) -> str:
        """The address of a list."""
        return f"{self.all_lists}/{number}"

    def range_of(self, number: int) -> range:
        """The places of a list."""
        return range(number * self.entries_per_list, (number + 1) * self.entries_per_list)

    @property
    def all_lists(self) -> str:
        """The address that names all of them."""
        return f"{self.public_url}/status-lists"
