"""The master keys that wrap the keys of persons: files in the folder of keys, like those that sign."""

import structlog
from joserfc.jwk import OctKey

from api.key_folder import KeyFolder, KeyFolderRefused
from lifecycle.errors import MasterKeyMissing
from lifecycle.persons.sealing import MasterKey

_log = structlog.get_logger()


class MasterKeys:
    """The master keys in one folder, old ones too: what they wrapped may still lie in a dump."""

    def __init__(self, folder: KeyFolder[OctKey]) -> None:
        self.folder = folder

    def make(self) -> MasterKey:
        """A new one, kept here. Raises MasterKeyMissing where the folder is not fit for it."""
        try:
            return _of(self.folder.make())
        except (KeyFolderRefused, OSError) as error:
            raise self._refused("new", error) from error

    def find(self, kid: str) -> MasterKey:
        """The one with that kid. Raises MasterKeyMissing."""
        try:
            found = self.folder.find(kid)
        except (KeyFolderRefused, OSError) as error:
            raise self._refused(kid, error) from error
        if found is None:
            raise self._refused(kid, None)
        return _of(found)

    def remove(self, kid: str) -> None:
        """It is not kept any more: it never wrapped anything."""
        self.folder.remove(kid)

    def _refused(self, kid: str, error: Exception | None) -> MasterKeyMissing:
        _log.error("no master key", kid=kid, folder=str(self.folder.path), problem=str(error or "it is not there"))
        return MasterKeyMissing(kid=kid)


def _of(key: OctKey) -> MasterKey:
    return MasterKey(str(key.kid), key.raw_value)
