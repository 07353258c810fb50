"""A breach of separation of duties: where it stands, and in words what was not kept."""

from typing import NamedTuple
from uuid import UUID

from lifecycle.errors import Refusal
from lifecycle.events import Recorded, topic_of


class NotAsProposed(Refusal):
    code = "not_as_proposed"
    kind = "forbidden"
    en = "It rests on proposal {proposal}, which {problem}."
    zh = "其依据的提议 {proposal} 有问题：{problem}。"


class OtherSigners(Refusal):
    code = "other_signers"
    kind = "forbidden"
    en = "It says that {said} signed it; proposed and approved it was by {found}."
    zh = "记录的签署人为 {said}；实际提议和批准人为 {found}。"


class NotByTheClock(Refusal):
    code = "not_by_the_clock"
    kind = "forbidden"
    en = "The clock records this, and {person} did, as {role}."
    zh = "该事件应由时钟记录，却由 {person} 以 {role} 身份记录。"


class NotOfThatKey(Refusal):
    code = "not_of_that_key"
    kind = "forbidden"
    en = "{person} acted as {role} with the key {key}, which {problem}."
    zh = "{person} 以 {role} 身份使用密钥 {key}，但该密钥{problem}。"


class RoleGivenToOneself(Refusal):
    code = "role_given_to_oneself"
    kind = "forbidden"
    en = "{person} issued the key {key} to that same person, in the role {role}."
    zh = "{person} 为自己颁发了角色为 {role} 的密钥 {key}。"


class ErasedOneself(Refusal):
    code = "erased_oneself"
    kind = "forbidden"
    en = "{person} erased that same person."
    zh = "{person} 删除了自己。"


class NotJudged(Refusal):
    code = "not_judged"
    en = "It cannot be judged: {problem}."
    zh = "无法判定：{problem}。"


class NotLawful(Refusal):
    code = "not_lawful"
    en = "{problem}"
    zh = "{problem_zh}"


class Breach(NamedTuple):
    """An event by which separation of duties was not kept, or cannot be shown to have been."""

    stream: UUID
    version: int
    position: int
    type: str
    refusal: Refusal


def breach_of(recorded: Recorded, refusal: Refusal) -> Breach:
    """The event, and what speaks against it."""
    topic = topic_of(recorded.fact)
    return Breach(recorded.originator_id, recorded.version, recorded.position or 0, topic, refusal)
