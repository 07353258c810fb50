"""What the environment says. Every name begins with CERTLIFE_."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

HTTPS = re.compile(r"https://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(/[!-~]*)?")


class Settings(BaseSettings):
    """The service's settings; an address left out means the PostgreSQL that the service starts itself."""

    model_config = SettingsConfigDict(env_prefix="CERTLIFE_", extra="ignore")

    database_url: str | None = Field(default=None, description="PostgreSQL as the service's role (certlife_service)")
    engine_database_url: str | None = Field(
        default=None, description="PostgreSQL as the engine's role (certlife_engine)"
    )
    owner_database_url: str | None = Field(
        default=None, description="PostgreSQL as the owner; used by `certlife migrate` alone"
    )
    data: Path = Field(default=Path(".certlife"), description="where the embedded PostgreSQL keeps its data")
    now: AwareDatetime | None = Field(
        default=None, description="the instant at which a simulated register's process starts"
    )
    keys: Path | None = Field(
        default=None, description="where the signing keys are kept; by default under CERTLIFE_DATA"
    )
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = Field(
        default=None, pattern=r"^https?://[^/?#\s]+(/[^?#\s]*[^/?#\s])?$", max_length=200,
        description="where the public reaches the service, without a slash at the end: the issuer of signed answers",
    )  # fmt: skip
    complain_at: str | None = Field(
        default=None, pattern=r"^(https?://|mailto:)[^\s<>\"]+$", max_length=300,
        description="where the public complains, https: or mailto:; left out, the pages show no such link",
    )  # fmt: skip
    issuer_zh: str = Field(
        default="", max_length=100, description="the certification body's name, on pages and documents"
    )
    issuer_en: str = Field(default="", max_length=100, description="the same in English")
    status_per_minute: int = Field(
        default=6000, ge=1, description="how many public questions one client may ask a minute"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas",
    )
    ledger_folder: Path | None = Field(default=None, description="where checkpoints are written for others to take")
    ledger_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="https addresses that every new checkpoint is sent to, separated by commas"
    )
    tick_seconds: int = Field(default=60, ge=1, description="how often the clock looks for what is due")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, given: str | Iterable[str]) -> tuple[str, ...]:
        """Each an address or a network: a word that is neither would be trusted never, or always."""
        return tuple(str(ip_network(word)).removesuffix("/32").removesuffix("/128") for word in _words(given))

    @field_validator("ledger_addresses", mode="before")
    @classmethod
    def _https(cls, given: str | Iterable[str]) -> tuple[str, ...]:
        """Each an https address without a name or password in it."""
        for word in (words := _words(given)):
            if not HTTPS.fullmatch(word) or not _leads_somewhere(word):
                raise ValueError(f"{word!r} is no address like https://example.org/checkpoints")
        return words

    @property
    def engine_url(self) -> str | None:
        return self.engine_database_url or self.database_url

    @property
    def keys_folder(self) -> Path:
        return self.keys or self.data / "keys"

    @property
    def public_address(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def starts_at(self) -> datetime | None:
        return self.now.astimezone(UTC) if self.now else None


def _leads_somewhere(address: str) -> bool:
    """Whether its port is one, and what stands in brackets an IPv6 address."""
    try:
        parts = urlsplit(address)
        return parts.port != 0 and (":" not in (parts.hostname or "") or bool(IPv6Address(parts.hostname)))
    except ValueError:
        return False


def _words(given: str | Iterable[str]) -> tuple[str, ...]:
    """What is separated by commas."""
    words = given.split(",") if isinstance(given, str) else given
    return tuple(word.strip() for word in words if word.strip())
