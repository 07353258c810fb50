#!/usr/bin/env python3
"""Checks a bundle of evidence from a register of certificates: offline, with Python 3.11 or later and nothing else.

    python3 -I verify.py BUNDLE.zip --key NAME+ID+KEY --checkpoint FILE [--consistency FILE] [--lang zh]

The register writes every event into a log that only grows, a Merkle tree (RFC 9162), and signs its size and root from
time to time: a checkpoint, which anybody may keep. Whoever holds one from elsewhere (published, or received earlier)
and the log's key need not believe the register: an event that is proven to be in that tree was not changed since.
`main` goes through a bundle in this order, and stops at the first thing that is wrong:

 1. the container: the file is, to the byte, the zip that its contents make: nothing can be added, hidden or packed;
 2. the manifest: it lists every file with its size and SHA-256, and is signed;
 3. the log: each event is in the tree of the bundle's checkpoint, by a proof, and the keys that signed are events of it;
 4. the record: the certificate's events have no gap, editions and documents are those that the events name;
 5. the outcomes: grades, dates and statuses follow from the events, by the text of the edition, exactly;
 6. the outside: the checkpoint is signed by the key given, and agrees with the checkpoint given. Only then the bundle
    is verified; without both it is consistent with itself, which whoever holds the register's keys can bring about.

Exit status: 0 verified, 1 refused, 2 wrong usage, 3 consistent with itself.
"""

import argparse
import base64
import calendar
import hashlib
import json
import mmap
import re
import struct
import sys
import tomllib
import zlib
from datetime import date, timedelta
from fractions import Fraction

REFUSALS = {
    "truncated": ("It is truncated: it ends within {what}.", "文件被截断：止于 {what}。"),
    "container": ("It is not as the register wrote it, at {what}: packed again, or changed.",
                  "并非登记系统写出的原样（{what} 处）：被重新打包或改动。"),
    "limits": ("It exceeds the limits of a bundle, or has a name that none has: {what}.", "超出限制或文件名不允许：{what}。"),
    "unlisted": ("It was packed again with another file: the manifest does not list {what}, or not there.",
                 "被加入其他文件重新打包：清单未在该处列出 {what}。"),
    "missing": ("A file is missing: {what}.", "缺少文件：{what}。"),
    "differs": ("A file is not the one that was signed: {what}.", "文件与签名时不同：{what}。"),
    "unknown_key": ("It is signed with an unknown key: {what}.", "由未知密钥签名：{what}。"),
    "signature": ("A signature is wrong: {what}.", "签名不符：{what}。"),
    "origin": ("It is of another register: {what}.", "属于另一登记系统：{what}。"),
    "past": ("A proof is for a position past the checkpoint: {what}.", "证明所指位置超出检查点：{what}。"),
    "inclusion": ("An event is not in the log as it stands here: position {what}.", "此处所载事件不在日志中：位置 {what}。"),
    "gap": ("Events of the certificate are missing: {what}.", "证书的事件有缺失：{what}。"),
    "inconsistent": ("The log was changed between two checkpoints: sizes {what}.", "两个检查点之间日志被改动：大小 {what}。"),
    "older": ("Its checkpoint is older than one already seen: sizes {what}. Ask for a new bundle, or give --consistency.",
              "其检查点早于已见过的检查点：大小 {what}。请索取新的证据包，或用 --consistency 提供一致性证明。"),
    "unproven": ("Nothing proves that the checkpoint given is the beginning of the bundle's: sizes {what}. "
                 "Give --consistency.", "未证明所提供的检查点是证据包检查点的开头：大小 {what}。请提供 --consistency。"),
    "outcome": ("A recorded outcome does not follow from the record: {what}.", "所载结果与记录不符：{what}。"),
    "malformed": ("It cannot be read: {what}.", "无法读取：{what}。"),
}  # fmt: skip


class Refused(Exception):
    """The bundle is found wanting; `what` says where."""

    def __init__(self, code, what):
        self.code, self.what = code, str(what)[:300]
        super().__init__(REFUSALS[code][0].format(what=self.what))

    def message(self, lang):
        return REFUSALS[self.code][lang == "zh"].format(what=self.what)


# ---- 1. the container: stored, in the manifest's order, one fixed time; so there is one file only for given contents -----

BUNDLE, FILE, FILES = 1 << 30, 64 << 20, 5_000
NAME = re.compile(
    r"(events\.jsonl|checkpoint|checkpoints\.jsonl|keys|verify\.py|judgements\.json|states\.json|page\.html|persons\.json"
    r"|editions/[0-9a-f]{64}\.toml|documents/[1-9][0-9]{0,5}\.pdf|files/[0-9a-f]{64}|manifest)"
)
FIRST_DAY = 1 << 5 | 1  # 1 January 1980, as zip files say it


def local_header(name, crc, size):
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, FIRST_DAY, crc, size, size, len(name), 0) + name.encode()


def directory_entry(name, crc, size, at):
    fixed = (b"PK\1\2", 3 << 8 | 20, 20, 0, 0, 0, FIRST_DAY, crc, size, size, len(name), 0, 0, 0, 0, 0o100644 << 16, at)
    return struct.pack("<4s6H3I5H2I", *fixed) + name.encode()


def directory_end(entries, size, at):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, entries, entries, size, at, 0)


def unpacked(data):
    """The files by name, in order. Every byte of the container is either a file's or derived from the files here."""
    view, at, files, directory = memoryview(data), 0, {}, b""
    if len(view) > BUNDLE:
        raise Refused("limits", f"{len(view)} bytes")
    while view[at : at + 4] == b"PK\3\4":
        if len(view) < at + 30:
            raise Refused("truncated", f"byte {len(view)}")
        size, length = struct.unpack("<22xIH2x", view[at : at + 30])
        start = at + 30 + length
        name, content = bytes(view[at + 30 : start]).decode("ascii", "replace"), view[start : start + size]
        if len(files) == FILES or size > FILE or not NAME.fullmatch(name) or name in files:
            raise Refused("limits", f"{name[:80]!r} at byte {at}, {size} bytes, file {len(files) + 1}")
        if len(content) < size:
            raise Refused("truncated", name)
        crc = zlib.crc32(content)
        if view[at:start] != local_header(name, crc, size):
            raise Refused("container", name)
        files[name], directory = content, directory + directory_entry(name, crc, size, at)
        at = start + size
    rest, closing = bytes(view[at:]), directory + directory_end(len(files), len(directory), at)
    if rest != closing:
        raise Refused("truncated" if closing.startswith(rest) else "container", f"byte {at} and after")
    return files


# ---- 2. signed notes (c2sp.org/signed-note): a text, an empty line, a line for each signature; Ed25519 (RFC 8032) --------

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    """The sum of two points of the curve, in extended coordinates (RFC 8032, 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    """The point, so many times."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def point_of(encoded):
    """The point that 32 bytes encode (5.1.3); None where they encode none."""
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signature(public, message, signature):
    """Whether the signature of the message is that of the key (5.1.7)."""
    key, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER or len(signature) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, key))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def decoded(text):
    """The bytes, written in the one way in which base64 writes them."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise Refused("malformed", text)
    return found


def named_key(text):
    """NAME+ID+KEY: the name under which it signs, the id that its signatures bear, the key's 32 bytes."""
    name, _, rest = text.partition("+")
    id, key = rest[:8], decoded(rest[9:])
    if len(key) != 33 or key[0] != 1 or hashlib.sha256(f"{name}\n".encode() + key).hexdigest()[:8] != id:
        raise Refused("malformed", text)
    return name, bytes.fromhex(id), key[1:]


def signed_text(note, keys):
    """The text of the note, and the key that signed it."""
    text, empty, signatures = note.partition("\n\n")
    lines = re.findall(r"— (\S+) (\S+)\n", signatures)
    if not empty or "".join(f"— {name} {signature}\n" for name, signature in lines) != signatures:
        raise Refused("malformed", note[:80])
    for name, signature in ((name, decoded(signature)) for name, signature in lines):
        for key in keys:
            if key[:2] == (name, signature[:4]):
                if not is_signature(key[2], f"{text}\n".encode(), signature[4:]):
                    raise Refused("signature", text.split("\n")[0])
                return f"{text}\n", key
    raise Refused("unknown_key", " ".join(name for name, _ in lines))


def manifest_of(files, keys):
    """What the signed manifest says; every file is the one that it lists, and there is no other."""
    if "manifest" not in files or "keys" not in files:
        raise Refused("missing", "manifest, keys")
    text, key = signed_text(bytes(files["manifest"]).decode(), keys)
    head = re.match(r"certlife\.evidence\.v1\nregister (\S+)\ncertificate (\S+)\nfor (staff|holder)\ninstant (\S+)\n", text)
    listed = dict(re.findall(r"^([0-9a-f]{64} [0-9]+) (\S+)$", text[head.end() :], re.MULTILINE)) if head else {}
    names = {name: digest for digest, name in listed.items()}
    if not head or "".join(f"{digest} {name}\n" for digest, name in listed.items()) != text[head.end() :]:
        raise Refused("malformed", "manifest")
    for name in names.keys() - files.keys():
        raise Refused("missing", name)
    for name, expected in zip([*files], [*names, "manifest"], strict=False):
        if name != expected:
            raise Refused("unlisted", name)
        if name in names and f"{hashlib.sha256(files[name]).hexdigest()} {len(files[name])}" != names[name]:
            raise Refused("differs", name)
    return {"register": head[1], "certificate": head[2], "for": head[3], "instant": head[4], "key": key}


# ---- 3. the log: RFC 9162, section 2.1 -----------------------------------------------------------------------------------


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf_of(event):
    """The hash of what the log covers of an event; where its content is withheld, the hash is what is given."""
    if "leaf_hash" in event:
        return decoded(event["leaf_hash"])
    stream, topic, state = bytes.fromhex(event["stream"].replace("-", "")), event["topic"].encode(), event["state"].encode()
    place = struct.pack("!q16siq", event["position"], stream, event["version"], event["recorded_at"])
    texts = b"".join(struct.pack("!I", len(text)) + text for text in (topic, state))
    return hashlib.sha256(b"\0certlife.leaf.v1" + place + texts).digest()


def walked(place, last, hashes, path):
    """The roots that a path leads to (2.1.3.2 and 2.1.4.2): the older tree's, where one is asked for, and the newer's."""
    older, newer = hashes
    for each in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            older, newer = node(each, older), node(each, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node(newer, each)
        place, last = place >> 1, last >> 1
    return (older, newer) if last == 0 else None


def require_consistent(old, new, path):
    """The older checkpoint's tree is the beginning of the newer one's."""
    path, place, last = [decoded(each) for each in path], old["size"] - 1, new["size"] - 1
    hashes = path if old["size"] & (old["size"] - 1) else [old["root"], *path]
    while place & 1:
        place, last = place >> 1, last >> 1
    same = old["size"] == new["size"] and not path and old["root"] == new["root"]
    grown = 0 < old["size"] < new["size"] and hashes and walked(place, last, hashes[:1] * 2, hashes[1:])
    if not same and grown != (old["root"], new["root"]):
        raise Refused("inconsistent", f"{old['size']}, {new['size']}")


def checkpoint_of(note, keys):
    """The signed size and root of the log, the last position covered, and when it was signed."""
    text, key = signed_text(note, keys)
    found = re.fullmatch(r"(\S+)\n([1-9][0-9]{0,17})\n(\S{44})\nposition ([0-9]{1,18})\ninstant (\S+)\n", text)
    if not found or found[1] != key[0]:
        raise Refused("origin", text.split("\n")[0])
    size, position = int(found[2]), int(found[4])
    return {"origin": found[1], "size": size, "root": decoded(found[3]), "position": position, "instant": found[5]}


def proven_events(files, checkpoint):
    """The events, each proven to be in the checkpoint's tree, in the order of the log."""
    events, before = [json.loads(line) for line in bytes(files["events.jsonl"]).decode().splitlines()], (0, -1)
    for event in events:
        place, index = (event["position"], event["leaf_index"]), event["leaf_index"]
        if event["position"] > checkpoint["position"] or index >= checkpoint["size"]:
            raise Refused("past", f"{event['position']} > {checkpoint['position']}")
        leaf, path = leaf_of(event), [decoded(each) for each in event["path"]]
        roots = walked(index, checkpoint["size"] - 1, (leaf, leaf), path)
        if not roots or roots[1] != checkpoint["root"] or not (before[0] < place[0] and before[1] < place[1]):
            raise Refused("inclusion", event["position"])
        event["fact"], before = json.loads(event["state"]) if "state" in event else event["told"], place
        if event["fact"] and "topic" in event and event["fact"]["type"] != event["topic"]:
            raise Refused("malformed", f"position {event['position']}")
    return events


def require_keys_in_log(events, keys, used):
    """The keys are events of the log; those that signed, for the purpose for which they signed."""
    added = {(each["fact"]["purpose"], base64.urlsafe_b64decode(each["fact"]["public_key"] + "="))
             for each in facts_of(events, "signing-key-added.v1")}  # fmt: skip
    for purpose, name, key in [*used, *((None, *key[::2]) for key in keys)]:
        if not {(purpose, key)} & added and (purpose or key not in {each for _, each in added}):
            raise Refused("unknown_key", name)


# ---- 4. the record -------------------------------------------------------------------------------------------------------


def facts_of(events, *topics):
    return [event for event in events if event["fact"] and event["fact"]["type"] in topics]


def require_whole(events, files, certificate):
    """The certificate's own events from the first to the last, without a gap; the editions by id, as published."""
    own = [event for event in events if event["stream"] == certificate]
    versions = [event["version"] for event in own]
    if not own or versions != list(range(1, len(own) + 1)):
        raise Refused("gap", f"{certificate}, {versions}")
    editions, published = {}, {each["fact"]["published"]: each["fact"] for each in facts_of(events, "edition-published.v1")}
    needed = {each["fact"].get("edition") for each in own if each["fact"]} - {None}
    for id in sorted(needed | published.keys()):
        text = bytes(files.get(f"editions/{published[id]['digest']}.toml", b"")).decode() if id in published else ""
        if not text or hashlib.sha256(text.encode()).hexdigest() != published[id]["digest"] or text != published[id]["text"]:
            raise Refused("differs", f"edition {id}")
        editions[id] = tomllib.loads(text)
    for each in facts_of(own, "document-sealed.v1"):
        document = f"documents/{each['fact']['document']}.pdf"
        if document in files and hashlib.sha256(files[document]).hexdigest() != each["fact"]["sha256"]:
            raise Refused("differs", document)
    for name in (name for name in files if name.startswith("files/")):
        if hashlib.sha256(files[name]).hexdigest() != name[6:]:
            raise Refused("differs", name)
    return own, editions


# ---- 5. the outcomes -----------------------------------------------------------------------------------------------------

STATUS = {
    "certificate-issued.v1": (("none",), "active"), "certificate-renewed.v1": (("active",), "active"),
    "certificate-suspended.v1": (("active",), "suspended"), "suspension-extended.v1": (("suspended",), "suspended"),
    "certificate-reinstated.v1": (("suspended", "withdrawn", "cancelled"), "active"),
    "certificate-withdrawn.v1": (("active", "suspended"), "withdrawn"),
    "certificate-cancelled.v1": (("active", "suspended"), "cancelled"),
    "certificate-expired.v1": (("active", "suspended"), "expired"),
}  # fmt: skip


def reading(own):
    """(version, fact) as they read with every correction among them: the last change of a path wins, voided ones drop."""
    read, void = {each["version"]: json.loads(json.dumps(each["fact"])) for each in own if each["fact"]}, set()
    for fact in [each["fact"] for each in facts_of(own, "record-corrected.v1")]:
        void |= {fact["target"]} if fact.get("void") else set()
        changes = [(fact["target"], each["path"], each.get("new")) for each in fact.get("changes", ())]
        for version, path, value in changes + [(e["version"], e["path"], e.get("value")) for e in fact.get("recomputed", ())]:
            (*steps, last), at = path[1:].split("/"), read[version]
            for step in steps:
                at = next(each for each in at if each["element"] == step) if isinstance(at, list) else at[step]
            at[last] = value
    return [(version, fact) for version, fact in read.items() if version not in void]


def graded(edition, findings, deductions, type, accepts):
    """Score, level and the rule that decided, as the edition's text has it; marks are added exactly."""
    scoring, elements = edition["scoring"], {each["code"]: Fraction(each["value"]) for each in edition["elements"]}
    scored = next(each["scored"] for each in edition["certification_types"] if each["code"] == type)
    points = {kind: [Fraction(row["value"]) for code in deductions for row in edition.get(kind, ()) if row["code"] == code]
              for kind in ("deductions", "bonuses")}  # fmt: skip
    score = sum((Fraction(each.get("marks") or 0) for each in findings.values()), Fraction(0)) if scored else None
    if scored and scoring["method"]["value"] == "ratio":
        score = 100 * score / sum(elements[code] for code, each in findings.items() if each["outcome"] != "not_applicable")
    if scored:
        score += min(sum(points["bonuses"]), Fraction(scoring.get("bonus_cap", {}).get("value", 0))) - sum(points["deductions"])
    failed = [code for code in elements if findings[code]["outcome"] == "nonconforming"]
    if len(points["deductions"]) >= scoring.get("deductions_fail_from", {}).get("value", len(deductions) + 1):
        return score, "none", "knock_out:deductions"
    knock_out = scoring.get("knock_out", {"elements": (), "count": {"value": 1}})
    if len(out := [code for code in knock_out["elements"] if code in failed]) >= knock_out["count"]["value"]:
        return score, "none", f"knock_out:{out[0]}"
    if failed and (not scored or scoring["conformity_required"]["value"]):
        return score, "none", f"open_nonconformity:{failed[0]}"
    bands = [(Fraction(each["at_least"]["value"]), each["code"]) for each in edition["levels"] if "at_least" in each]
    if scored and (reached := [band for band in bands if score >= band[0]]):
        return score, max(reached)[1], f"band:{max(reached)[1]}"
    unscored = next((each["code"] for each in edition["levels"] if "at_least" not in each), None)
    if unscored is None or (scored and not accepts):
        return score, "none", "below_lowest_band"
    return score, *(("none", f"open_nonconformity:{failed[0]}") if failed else (unscored, "conformity:all_conform"))


def judged(facts, version, fact, edition):
    """The grade that the record before a fact earns: of its case's assessment, closures applied; after a visit, of each
    element's last finding."""
    before, cases, standing, type, accepts = [each for each in facts if each[0] < version], {}, {}, None, False
    for number, each in before:
        kind, case = each["type"], cases.setdefault(each.get("case"), {"findings": {}, "deductions": [], "type": None})
        if kind == "application-submitted.v1":
            case["type"], case["accepts"] = each["certification_type"], each["accepts_conformity"]
            accepts = each["accepts_conformity"]
        if kind in ("assessment-recorded.v1", "surveillance-recorded.v1"):
            case["findings"] = {finding["element"]: finding for finding in each["findings"]}
            case["deductions"] = [deduction["code"] for deduction in each.get("deductions", ())]
            standing |= case["findings"] if each.get("due") else {}
        if kind == "nonconformity-closed.v1":
            case["findings"] = case["findings"] | {each["element"]: case["findings"][each["element"]] | {"outcome": "conforming"}}
        if kind == "certificate-issued.v1":
            standing |= case["findings"]
        type = each.get("certification_type", type) if kind.startswith("certificate-") else type
    case = cases[fact["case"]]
    if case["type"]:
        return graded(edition, case["findings"], case["deductions"], case["type"], case["accepts"])
    conforming = {code: each | {"outcome": each["outcome"].replace("nonconforming", "conforming")} for code, each in standing.items()}
    return graded(edition, conforming, [], type, accepts)


def months_after(day, months):
    """The same day so many months later, or the month's last where it has none (Civil Code of the PRC, art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def require_dates(version, fact, editions):
    """Validity, due dates and ends of suspensions are what the edition's months and days make of the days before them."""
    edition = editions.get(fact.get("edition"), {})
    terms = {key: row["value"] for key, row in edition.get("parameters", {}).items()}
    day = lambda name, of=fact: date.fromisoformat(of[name])  # noqa: E731
    expected = {}
    if edition and fact["type"] in ("certificate-issued.v1", "certificate-renewed.v1"):
        end = months_after(day("valid_from"), terms["validity_months"])
        expected["valid_until"] = end - timedelta(days=terms["validity_ends"] == "day_before")
    if fact["type"] == "certificate-expired.v1":
        expected["effective_on"] = day("valid_until") + timedelta(days=1)
    if expected and any(day(name) != value for name, value in expected.items()):
        raise Refused("outcome", f"version {version}: {expected}")
    if (due := fact.get("due")) and not due.get("grace_until"):
        visit = months_after(day("anchor_on", due), due["interval_months"])
        window = visit - timedelta(days=terms["notice_window_days"]) if edition else day("notice_on", due)
        if (visit, window) != (day("visit_on", due), day("notice_on", due)):
            raise Refused("outcome", f"version {version}: due {visit}, notice {window}")


def statuses(facts):
    """(version, day, status) at each turn. Raises Refused where a step is not lawful."""
    status, steps = "none", []
    for version, fact in facts:
        before, after = STATUS.get(fact["type"], ((status,), status))
        if status not in before:
            raise Refused("outcome", f"version {version}: {fact['type']} of a certificate that is {status}")
        if after != status:
            steps.append((version, fact.get("valid_from") if status == "none" else fact["effective_on"], after))
        status = after
    return steps


def recomputed(own, editions):
    """What follows from the events: the grades asked again as the record read then, and as it reads now."""
    grades, left = [], []
    for each in own:
        if each["fact"]:
            require_dates(each["version"], each["fact"], editions)
        if each["fact"] and each["fact"]["type"] in (*STATUS, "record-corrected.v1"):
            statuses(reading([event for event in own if event["version"] <= each["version"]]))
    now = dict(reading(own))
    for each in facts_of(own, "grade-determined.v1", "grade-changed.v1"):
        version, then = each["version"], reading([event for event in own if event["version"] <= each["version"]])
        for facts, fact in ((then, each["fact"]), ([*now.items()], now.get(version, each["fact"]))):
            if facts is not then and fact["type"] == "grade-changed.v1":
                continue  # what persons decided stands, whatever was corrected since
            try:
                score, level, because = judged(facts, version, fact, editions[fact["edition"]])
            except KeyError as lacking:
                left.append((version, lacking))
                continue
            told = score if score is None else f"{score.numerator}/{score.denominator}"
            if (told, level, because) != (fact.get("score"), fact["level"], fact["because"]):
                raise Refused("outcome", f"version {version}: {told}, {level}, {because}")
        grades.append((version, now.get(version, each["fact"])))
    return grades, statuses([*now.items()]), left


# ---- 6. the outside ------------------------------------------------------------------------------------------------------


def agrees_outside(checkpoint, note, earlier, given_keys, given_notes, proofs):
    """Whether the bundle's checkpoint is signed by a key given, and agrees with every checkpoint given; at least one."""
    if given_keys and checkpoint["origin"] not in {name for name, *_ in given_keys}:
        raise Refused("origin", f"{checkpoint['origin']}, not {given_keys[0][0]}")
    if given_keys:
        checkpoint_of(note, given_keys)
    for seen in given_notes:
        if seen.split("\n")[0] != checkpoint["origin"]:
            raise Refused("origin", f"{checkpoint['origin']}, not {seen.split(chr(10))[0]}")
        if not given_keys:
            continue
        given = checkpoint_of(seen, given_keys)
        old, new = sorted((given, checkpoint), key=lambda each: each["size"])
        paths = [proof["path"] for proof in proofs if (proof["old_size"], proof["new_size"]) == (old["size"], new["size"])]
        paths += [path for each, path in earlier if each["size"] == old["size"] and new is checkpoint]
        if not paths and old["size"] != new["size"]:
            raise Refused("older" if old is checkpoint else "unproven", f"{old['size']}, {new['size']}")
        require_consistent(old, new, [] if old["size"] == new["size"] else paths[0])
    return bool(given_keys and given_notes)


def checked(data, given_keys=(), given_notes=(), proofs=()):
    """What the bundle proves. Raises Refused."""
    files = unpacked(data)
    keys = [named_key(line) for line in bytes(files.get("keys", b"")).decode().splitlines()]
    manifest = manifest_of(files, keys)
    note = bytes(files["checkpoint"]).decode()
    checkpoint = checkpoint_of(note, keys)
    if manifest["register"] != checkpoint["origin"]:
        raise Refused("origin", f"{manifest['register']}, {checkpoint['origin']}")
    events = proven_events(files, checkpoint)
    used = [("evidence", *manifest["key"][::2]), ("ledger", *signed_text(note, keys)[1][::2])]
    require_keys_in_log(events, keys, used)
    lines = [json.loads(line) for line in bytes(files["checkpoints.jsonl"]).decode().splitlines()]
    earlier = [(checkpoint_of(each["note"], keys), each["path"]) for each in lines]
    for each, path in earlier:
        require_consistent(each, checkpoint, path)
    own, editions = require_whole(events, files, manifest["certificate"])
    outcomes = recomputed(own, editions)
    verified = agrees_outside(checkpoint, note, earlier, given_keys, given_notes, proofs)
    return {"manifest": manifest, "checkpoint": checkpoint, "events": events, "own": own, "outcomes": outcomes,
            "files": files, "verified": verified}  # fmt: skip


SAID = {
    "register": ("register {register}, certificate {certificate}", "登记系统 {register}，证书 {certificate}"),
    "log": ("{events} events ({own} of the certificate) are in its log of {size} events, signed {instant}",
            "{events} 个事件（证书自身 {own} 个）在日志中，日志共 {size} 个事件，签署于 {instant}"),
    "grade": ("event {version}: score {score}, level {level}, by the rule {because}: computed again, the same",
              "事件 {version}：得分 {score}，等级 {level}，依据 {because}：重新计算一致"),
    "status": ("event {version}: {status} from {on} on", "事件 {version}：自 {on} 起 {status}"),
    "left": ("event {version}: not computed again, {why} is not here", "事件 {version}：未重新计算，缺少 {why}"),
    "withheld": ("{count} events are withheld in part: they are in the log, but what is told of them is not proven",
                 "{count} 个事件部分不予披露：其在日志中，但所述内容未经证明"),
    "not_checked": ("NOT checked: whether persons were who they are said to be and lawfully shared duties; whether what was "
                    "recorded was true; samples and coverage of visits; what PDF and page say; anything recorded later",
                    "未检查：人员身份及职责分离；所记录内容是否真实；监督抽样与覆盖；PDF 与页面的文字；此后记录的事件"),
    "verified": ("VERIFIED: nothing here was changed since the checkpoint that you gave was signed",
                 "已核实：自您提供的检查点签署以来，此处内容未被改动"),
    "consistent": ("CONSISTENT WITH ITSELF, not verified: give the log's key (--key) and a checkpoint from elsewhere "
                   "(--checkpoint)", "自身一致，但未核实：请提供取自他处的日志密钥（--key）和检查点（--checkpoint）"),
    "refused": ("REFUSED: {message}", "拒绝：{message}"),
}  # fmt: skip


def said(found):
    """What was found, line by line: the name of the sentence and its facts."""
    grades, steps, left = found["outcomes"]
    yield "register", found["manifest"]
    counts = {"events": len(found["events"]), "own": len(found["own"])}
    yield "log", found["checkpoint"] | counts
    for version, fact in grades:
        yield "grade", {"score": None} | fact | {"version": version}
    for version, on, status in steps:
        yield "status", {"version": version, "on": on, "status": status}
    for version, lacking in left:
        yield "left", {"version": version, "why": lacking}
    if withheld := sum("leaf_hash" in event for event in found["events"]):
        yield "withheld", {"count": withheld}
    yield "not_checked", {}
    yield "verified" if found["verified"] else "consistent", {}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="verify.py", description="Checks a bundle of evidence.  核验证据包。")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], help="a key of the log, NAME+ID+KEY")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint kept elsewhere")
    parser.add_argument("--consistency", action="append", default=[], help="GET /ledger/consistency?from=&to=, saved")
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    asked = parser.parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")

    def say(name, facts):
        print(SAID[name][asked.lang == "zh"].format(**facts))

    try:
        keys = [named_key(text) for text in asked.key]
        notes = [open(name, encoding="utf-8", newline="").read() for name in asked.checkpoint]
        proofs = [json.load(open(name, encoding="utf-8")) for name in asked.consistency]
        with open(asked.bundle, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""
            for name, facts in said(found := checked(data, keys, notes, proofs)):
                say(name, facts)
            return 0 if found["verified"] else 3
    except OSError as problem:
        parser.error(str(problem))
    except Refused as refused:
        say("refused", {"message": refused.message(asked.lang)})
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, StopIteration) as problem:
        say("refused", {"message": Refused("malformed", f"{type(problem).__name__}: {problem}").message(asked.lang)})
    return 1


if __name__ == "__main__":
    sys.exit(main())
