#!/usr/bin/env python3
"""Checks a bundle of evidence from a register of certificates: offline, with Python 3.11 or later and nothing else.

    python3 -I verify.py BUNDLE.zip --key NAME+ID+KEY --checkpoint FILE [--consistency FILE]

The register writes every event into a log that only grows, a Merkle tree (RFC 9162), and signs its size and root from
time to time: a checkpoint, which anybody may keep. Whoever has one from elsewhere (published, or received earlier), and
the log's key, need not believe the register: an event that is proven to be in that tree was not changed since.
``checked`` goes through a bundle in this order, and stops at the first thing that is wrong:

 1. the container: the file is, to the byte, the zip that its contents make: nothing can be added, hidden or packed;
 2. the manifest: it lists every file with size and SHA-256, and is signed;
 3. the log: each event is proven to be in the tree of the bundle's checkpoint, and the keys that signed are events too;
 4. the record: the certificate's events have no gap; editions, documents and files are those that the events name;
 5. the outcomes: grades, dates and statuses follow from the events, by the text of the edition, in exact arithmetic;
 6. the outside: the checkpoint is signed by the key given, and agrees with the checkpoint given. Only then the bundle
    is verified; else it is consistent with itself, which whoever has the register's keys can bring about.

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
from pathlib import Path

REFUSED = {
    "truncated": "The file is truncated, at {}.  文件被截断：{}。",
    "container": "It is not as the register wrote it: packed again, or changed, at {}.  并非登记系统写出的原样：{}。",
    "limits": "It exceeds the limits of a bundle, or holds a name that none does: {}.  超出限制或文件名不允许：{}。",
    "unlisted": "Packed again with another file, or in another order: {} is not listed there.  与清单不符的文件：{}。",
    "missing": "A file is missing: {}.  缺少文件：{}。",
    "differs": "Packed again with another file, or changed: {} is not what was signed.  文件与签名时不同：{}。",
    "unknown_key": "It is signed with an unknown key: {}.  由未知密钥签名：{}。",
    "signature": "A signature is wrong: {}.  签名不符：{}。",
    "origin": "It is of another register: {}.  属于另一登记系统：{}。",
    "past": "A proof is for a position past the checkpoint: {}.  证明所指的位置超出检查点：{}。",
    "inclusion": "An event is not in the log as it stands here: position {}.  此处所载事件不在日志中：位置 {}。",
    "gap": "Events of the certificate are missing: {}.  证书的事件有缺失：{}。",
    "inconsistent": "The log was changed between two checkpoints, of sizes {}.  两个检查点之间日志被改动：{}。",
    "older": "The checkpoint is older than one already seen, sizes {}: ask for a new bundle, or give --consistency.  "
    "检查点早于已见过的检查点：{}。请索取新的证据包，或提供 --consistency。",
    "unproven": "Nothing proves that the checkpoint given is the beginning of this log, sizes {}: give --consistency.  "
    "未证明所给检查点是本日志的开头：{}。请提供 --consistency。",
    "outcome": "A recorded outcome does not follow from the record, event {}.  所载结果与记录不符：事件 {}。",
    "malformed": "It cannot be read: {}.  无法读取：{}。",
}
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error)
"""What Python raises where something is not of the form that it must have."""


class Refused(Exception):
    """The bundle is found wanting: ``code`` says in what, ``where`` at which place."""

    def __init__(self, code, where):
        self.code = code
        super().__init__(REFUSED[code].format(*[shown(where)] * 2))


def shown(value):
    """What a bundle says, as it may be printed: on one line, and nothing that a terminal would obey."""
    text = str(value)[:200]
    return text if text.isprintable() else ascii(text)


# ---- 1. the container: stored, one fixed time, the manifest last; so given contents make one file only ---------------

BUNDLE, FILE, FILES = 1 << 30, 64 << 20, 5_000
NAME = re.compile(
    r"events\.jsonl|checkpoint|checkpoints\.jsonl|keys|judgements\.json|states\.json|page\.html|persons\.json|verify\.py"
    r"|editions/[0-9a-f]{64}\.toml|documents/[1-9][0-9]{0,5}\.pdf|files/[0-9a-f]{64}|manifest"
)
FIRST_DAY = 1 << 5 | 1  # 1 January 1980, as zip files write it


def local_header(name, crc, size):
    return struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, FIRST_DAY, crc, size, size, len(name), 0) + name.encode()


def directory_entry(name, crc, size, at):
    fixed = (3 << 8 | 20, 20, 0, 0, 0, FIRST_DAY, crc, size, size, len(name), 0, 0, 0, 0, 0o100644 << 16, at)
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", *fixed) + name.encode()


def directory_end(entries, size, at):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, entries, entries, size, at, 0)


def unpacked(data):
    """The files by name, in order. Each byte of the container is a file's, or is derived from the files here."""
    view, at, files, directory = memoryview(data), 0, {}, b""
    if len(view) > BUNDLE:
        raise Refused("limits", f"{len(view)} bytes")
    while view[at : at + 4] == b"PK\3\4":
        if len(view) < at + 30:
            raise Refused("truncated", f"byte {len(view)}")
        size, length = struct.unpack("<22xIH2x", view[at : at + 30])
        start = at + 30 + length
        name, content = bytes(view[at + 30 : start]).decode("ascii", "replace"), view[start : start + size]
        if len(view) < start or len(content) < size <= FILE:
            raise Refused("truncated", f"byte {len(view)}, {name}")
        if len(files) == FILES or size > FILE or not NAME.fullmatch(name) or name in files:
            raise Refused("limits", f"{name[:80]} at byte {at}, {size} bytes, file {len(files) + 1}")
        crc = zlib.crc32(content)
        if view[at:start] != local_header(name, crc, size):
            raise Refused("container", name)
        files[name], directory = content, directory + directory_entry(name, crc, size, at)
        at = start + size
    closing = directory + directory_end(len(files), len(directory), at)
    if (rest := bytes(view[at:])) != closing:
        raise Refused("truncated" if closing.startswith(rest) else "container", f"byte {at} and after")
    return files


# ---- 2. signed notes (c2sp.org/signed-note): a text, an empty line, lines of signatures; Ed25519 (RFC 8032) ----------

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    """The sum of two points of the curve, in extended coordinates (5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    total = (0, 1, 1, 0)
    while number:
        total, point, number = add(total, point) if number & 1 else total, add(point, point), number >> 1
    return total


def point_of(encoded):
    """The point that 32 bytes encode (5.1.3); None where they encode none."""
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signature(public, message, signature):
    """Whether the signature of the message is the key's (5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, key))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def decoded(text):
    """The bytes, where they are written in the one way in which base64 writes them."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise Refused("malformed", text)
    return found


def named_key(text):
    """Of NAME+ID+KEY the name under which it signs, the id that its signatures bear, and its 32 bytes."""
    name, _, rest = text.partition("+")
    key = decoded(rest[9:])
    id = hashlib.sha256(f"{name}\n".encode() + key).hexdigest()[:8]
    if key[:1] != b"\1" or rest[:9] != f"{id}+":
        raise Refused("malformed", text)
    return name, bytes.fromhex(id), key[1:]


def signed_text(note, keys):
    """The text of the note, and the name of the key that signed it."""
    text, empty, signatures = note.partition("\n\n")
    lines = re.findall(r"— (\S+) (\S+)\n", signatures)
    if not empty or "".join(f"— {name} {signature}\n" for name, signature in lines) != signatures:
        raise Refused("malformed", note[:80])
    for name, signature in [(name, decoded(signature)) for name, signature in lines]:
        for public in [key[2] for key in keys if key[:2] == (name, signature[:4])]:
            if not is_signature(public, f"{text}\n".encode(), signature[4:]):
                raise Refused("signature", text.split("\n")[0])
            return f"{text}\n", name
    raise Refused("unknown_key", " ".join(name for name, _ in lines))


def manifest_of(files, keys):
    """What the signed manifest says; the files are those that it lists, in that order."""
    text, signer = signed_text(str(files["manifest"], "utf-8"), keys)
    head = re.match(r"certlife\.evidence\.v1\nregister (\S+)\ncertificate (\S+)\nfor (\S+)\ninstant (\S+)\n", text)
    listed = [line.split(" ") for line in text[head.end() :].split("\n")[:-1]]
    for name, each in zip(files, [*listed, ["", "", "manifest"]], strict=False):
        if name != each[2]:
            raise Refused("unlisted" if each[2] in files else "missing", f"{name}, {each[2]}")
        if name != "manifest" and [hashlib.sha256(files[name]).hexdigest(), str(len(files[name]))] != each[:2]:
            raise Refused("differs", name)
    if len(files) != len(listed) + 1:
        raise Refused("missing", listed[-1][2])
    if signer != f"{head[1]}/evidence":
        raise Refused("unknown_key", signer)
    return {"register": head[1], "certificate": head[2], "for": head[3], "made": head[4]}


# ---- 3. the log: RFC 9162, section 2.1 -------------------------------------------------------------------------------


def leaf_of(event):
    """The hash of what the log covers of an event; where its content is withheld the hash is given."""
    if "leaf_hash" in event:
        return decoded(event["leaf_hash"])
    stream, texts = bytes.fromhex(event["stream"].replace("-", "")), (event["topic"].encode(), event["state"].encode())
    place = struct.pack("!q16siq", event["position"], stream, event["version"], event["recorded_at"])
    sized = b"".join(struct.pack("!I", len(text)) + text for text in texts)
    return hashlib.sha256(b"\0certlife.leaf.v1" + place + sized).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def roots(place, last, older, newer, path):
    """The roots that a path leads to: of the tree that ends with a leaf, and of the whole (2.1.3.2, 2.1.4.2)."""
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
    place, last, path = old["size"] - 1, new["size"] - 1, [decoded(each) for each in path]
    while place & 1:
        place, last = place >> 1, last >> 1
    hashes = path if place and old["size"] != new["size"] else [old["root"], *path]
    grown = old["size"] < new["size"] and hashes and roots(place, last, hashes[0], hashes[0], hashes[1:])
    if (grown if old["size"] != new["size"] else (*hashes, *hashes)) != (old["root"], new["root"]):
        raise Refused("inconsistent", f"{old['size']}, {new['size']}")


def checkpoint_of(note, keys):
    """The signed size and root of the log, the last position covered, and when it was signed."""
    text, signer = signed_text(note, keys)
    found = re.fullmatch(r"(\S+)\n([1-9]\d{0,17})\n(\S{44})\nposition (\d{1,18})\ninstant (\S+)\n", text, re.ASCII)
    if not found or found[1] != signer:
        raise Refused("origin", text.split("\n")[0])
    size, position = int(found[2]), int(found[4])
    return {"origin": signer, "size": size, "root": decoded(found[3]), "position": position, "instant": found[5]}


def lines_of(file):
    """JSON objects, one a line."""
    return [json.loads(line) for line in bytes(file).splitlines()]


def proven_events(files, checkpoint):
    """The events in the order of the log, each proven to be in the checkpoint's tree."""
    events, before = lines_of(files["events.jsonl"]), (0, -1)
    for event in events:
        position, index, leaf = event["position"], event["leaf_index"], leaf_of(event)
        if ("leaf_hash" in event) == ("state" in event):  # a hash proves no words that are put beside it
            raise Refused("malformed", f"position {position}, a leaf's hash and its state")
        if position > checkpoint["position"] or index >= checkpoint["size"]:
            raise Refused("past", f"{position} > {checkpoint['position']}")
        found = roots(index, checkpoint["size"] - 1, leaf, leaf, [decoded(each) for each in event["path"]])
        if not found or found[1] != checkpoint["root"] or position <= before[0] or index <= before[1]:
            raise Refused("inclusion", position)
        event["fact"], before = json.loads(event["state"]) if "state" in event else event["told"], (position, index)
        if "topic" in event and event["fact"]["type"] != event["topic"]:
            raise Refused("malformed", f"position {position}")
    return events


def require_keys_in_log(events, keys, register):
    """Each key is an event of the log, which gave it the purpose for which it signs."""
    purposes = {register: "ledger", f"{register}/evidence": "evidence"}
    added = [each["fact"] for each in of_type(events, "signing-key-added.v1") if "state" in each]
    known = {(each["purpose"], base64.urlsafe_b64decode(each["public_key"] + "=")) for each in added}
    for name, _, public in keys:
        if (purposes.get(name), public) not in known:
            raise Refused("unknown_key", name)


# ---- 4. the record ---------------------------------------------------------------------------------------------------


def of_type(events, *types):
    return [event for event in events if event["fact"] and event["fact"]["type"] in types]


def require_whole(events, certificate):
    """The certificate's own events, from the first on without a gap."""
    own = [event for event in events if event["stream"] == certificate]
    versions = [event["version"] for event in own]
    if not own or versions != [*range(1, len(own) + 1)]:
        raise Refused("gap", f"{certificate}, {versions}")
    return own


def require_same(files, name, digest):
    if name not in files:
        raise Refused("missing", name)
    if hashlib.sha256(files[name]).hexdigest() != digest:
        raise Refused("differs", name)


def editions_of(events, own, files):
    """The editions that the certificate's events name, as they were published; documents and files are as recorded."""
    published, editions = {each["fact"]["published"]: each for each in of_type(events, "edition-published.v1")}, {}
    for id in {each["fact"].get("edition") for each in own if each["fact"]} - {None}:
        name, fact = f"editions/{published[id]['fact']['digest']}.toml", published[id]["fact"]
        require_same(files, name, fact["digest"])
        if str(files[name], "utf-8") != fact["text"] or "state" not in published[id]:
            raise Refused("differs", name)
        if any(len(line) > 1000 for line in fact["text"].splitlines()):
            raise Refused("limits", f"{name}, the length of a line")
        editions[id] = tomllib.loads(fact["text"])
    for each in of_type(own, "document-sealed.v1"):
        require_same(files, f"documents/{each['fact']['document']}.pdf", each["fact"]["sha256"])
    for name in [name for name in files if name.startswith("files/")]:
        require_same(files, name, name.removeprefix("files/"))
    return editions


# ---- 5. the outcomes -------------------------------------------------------------------------------------------------

GRADES = ("grade-determined.v1", "grade-changed.v1")
LIVE, ENDED = ("active", "suspended"), ("suspended", "withdrawn", "cancelled")
STATUS = {
    "certificate-issued.v1": (("none",), "active"),
    "certificate-renewed.v1": (("active",), "active"),
    "certificate-suspended.v1": (("active",), "suspended"),
    "suspension-extended.v1": (("suspended",), "suspended"),
    "certificate-reinstated.v1": (ENDED, "active"),
    "certificate-withdrawn.v1": (LIVE, "withdrawn"),
    "certificate-cancelled.v1": (LIVE, "cancelled"),
    "certificate-expired.v1": (LIVE, "expired"),
}


def reading(own):
    """(version, fact) as they read with the corrections among them: the last change of a path wins, voided ones go."""
    read, void = {each["version"]: each["fact"] for each in own if each["fact"]}, set()
    for fact in [each["fact"] for each in of_type(own, "record-corrected.v1")]:
        void |= {fact["target"]} if fact.get("void") else set()
        changes = [(fact["target"], each["path"], each.get("new")) for each in fact.get("changes", ())]
        changes += [(each["version"], each["path"], each.get("value")) for each in fact.get("recomputed", ())]
        for version, path, value in changes:
            at = read[version] = json.loads(json.dumps(read[version]))
            *steps, last = path[1:].split("/")
            for step in steps:
                at = next(each for each in at if each["element"] == step) if isinstance(at, list) else at[step]
            at[last] = value
    return [(version, fact) for version, fact in read.items() if version not in void]


def exact(marks):
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", marks):
        raise Refused("malformed", marks)
    return Fraction(marks)


def graded(edition, findings, specials, kind, accepts_conformity):
    """Score, level and the rule that decided, as the edition's text has it."""
    scoring, weights = edition["scoring"], {each["code"]: exact(each["value"]) for each in edition["elements"]}
    scored = next(each["scored"] for each in edition["certification_types"] if each["code"] == kind)
    score = sum((exact(each.get("marks") or "0") for each in findings.values()), Fraction(0)) if scored else None
    minus, plus = (
        [exact(row["value"]) for code in specials for row in edition.get(sort, ()) if row["code"] == code]
        for sort in ("deductions", "bonuses")
    )
    if scored and scoring["method"]["value"] == "ratio":
        score = 100 * score / sum(weights[code] for code in findings if findings[code]["outcome"] != "not_applicable")
    if scored:
        score += min(sum(plus), exact(scoring.get("bonus_cap", {}).get("value", "0"))) - sum(minus)
    failed = [code for code in weights if findings[code]["outcome"] == "nonconforming"]
    knock_out = scoring.get("knock_out", {"elements": (), "count": {"value": 1}})
    knocked = [code for code in knock_out["elements"] if code in failed]
    if len(minus) >= scoring.get("deductions_fail_from", {"value": len(minus) + 1})["value"]:
        return score, "none", "knock_out:deductions"
    if len(knocked) >= knock_out["count"]["value"]:
        return score, "none", f"knock_out:{knocked[0]}"
    if failed and (not scored or scoring["conformity_required"]["value"]):
        return score, "none", f"open_nonconformity:{failed[0]}"
    bands = [(exact(each["at_least"]["value"]), each["code"]) for each in edition["levels"] if "at_least" in each]
    if scored and (reached := [code for least, code in sorted(bands) if score >= least]):
        return score, reached[-1], f"band:{reached[-1]}"
    conformity = next((each["code"] for each in edition["levels"] if "at_least" not in each), None)
    if conformity is None or (scored and not accepts_conformity):
        return score, "none", "below_lowest_band"
    if failed:
        return score, "none", f"open_nonconformity:{failed[0]}"
    return score, conformity, "conformity:all_conform"


def judged(facts, version, fact, editions):
    """What the record before a grade earns: its case's assessment, closures applied. None for a visit's, which rests on
    several assessments, and where other elements were assessed than are graded: those are not computed here."""
    case = [(number, each) for number, each in facts if number < version and each.get("case") == fact["case"]]
    application = dict(case).get(fact["case"], {})
    if application.get("type") != "application-submitted.v1":
        return None
    graded_by, assessed = (
        {each["code"]: each["value"] for each in editions[named]["elements"]}
        for named in (fact["edition"], application.get("edition", fact["edition"]))
    )
    if graded_by != assessed:
        return None
    number, assessment = [each for each in case if each[1]["type"] == "assessment-recorded.v1"][-1]
    findings = {each["element"]: dict(each) for each in assessment["findings"]}
    for later, each in case:
        if each["type"] == "nonconformity-closed.v1" and later > number:
            findings[each["element"]]["outcome"] = "conforming"
    specials = [each["code"] for each in assessment.get("deductions", ())]
    kind, accepts_conformity = application["certification_type"], application["accepts_conformity"]
    return graded(editions[fact["edition"]], findings, specials, kind, accepts_conformity)


def require_grade(facts, version, fact, editions):
    """The recorded grade is what the record earns; answers whether it was computed again."""
    found = judged(facts, version, fact, editions)
    score = found and found[0] is not None and f"{found[0].numerator}/{found[0].denominator}"
    if found and (score or None, *found[1:]) != (fact.get("score"), fact["level"], fact["because"]):
        raise Refused("outcome", f"{version}: {score}, {found[1:]}, not {fact.get('score')}, {fact['level']}")
    return found is not None


def months_after(day, months):
    """That day so many months later, or the last of a shorter month (Civil Code of the PRC, art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def require_dates(version, fact, edition):
    """Ends of validity and due dates are what the edition's months and days make of the days that they count from."""
    day, terms = date.fromisoformat, {key: each["value"] for key, each in edition.get("parameters", {}).items()}
    due, expected = fact.get("due") or {}, {}
    if terms and fact["type"] in ("certificate-issued.v1", "certificate-renewed.v1"):
        end = months_after(day(fact["valid_from"]), terms["validity_months"])
        expected["valid_until"] = end - timedelta(days=terms["validity_ends"] == "day_before")
    if fact["type"] == "certificate-expired.v1":
        expected["effective_on"] = day(fact["valid_until"]) + timedelta(days=1)
    if due and "grace_until" not in due:
        expected["visit_on"] = visit_on = months_after(day(due["anchor_on"]), due["interval_months"])
        expected |= {"notice_on": visit_on - timedelta(days=terms["notice_window_days"])} if terms else {}
    for name, value in expected.items():
        if (due | fact)[name] != value.isoformat():
            raise Refused("outcome", f"{version}: {name} {value}, not {(due | fact)[name]}")


def statuses(facts):
    """The turns of the status, as (version, day, status); each is lawful."""
    status, turns = "none", []
    for version, fact in facts:
        before, after = STATUS.get(fact["type"], ((status,), status))
        if status not in before:
            raise Refused("outcome", f"{version}: {fact['type']} while {status}")
        turns += [(version, fact.get("valid_from", fact["effective_on"]), after)] if after != status else []
        status = after
    return turns


def outcomes(own, editions):
    """The grades as recorded (and whether each was computed again), those that corrections changed since, and the turns
    of the status as the record reads now.

    They are held to the record as it read when each was recorded, and as it reads with all corrections.
    """
    now, grades, corrected = reading(own), [], []
    for each in [each for each in own if each["fact"]]:
        version, fact, then = each["version"], each["fact"], own[: each["version"]]
        require_dates(version, fact, editions.get(fact.get("edition"), {}))
        if fact["type"] == "record-corrected.v1":
            statuses(reading(then))
        if fact["type"] in GRADES:
            grades.append((version, fact, require_grade(reading(then), version, fact, editions)))
    for version, fact in now:
        if fact["type"] == "grade-determined.v1":
            require_grade(now, version, fact, editions)
        if fact["type"] in GRADES and fact != own[version - 1]["fact"]:
            corrected.append((version, fact))
    return grades, corrected, statuses(now)


# ---- 6. the outside --------------------------------------------------------------------------------------------------


def agrees_outside(note, checkpoint, earlier, given_keys, given_notes, proofs):
    """Whether the bundle's checkpoint is signed by a key given, and agrees with each checkpoint given, one at least."""
    for name in [key[0] for key in given_keys] + [each.split("\n")[0] for each in given_notes]:
        if name != checkpoint["origin"]:
            raise Refused("origin", f"{checkpoint['origin']}, not {name}")
    if not given_keys:
        return False
    checkpoint_of(note, given_keys)
    for given in [checkpoint_of(each, given_keys) for each in given_notes]:
        old, new = sorted((given, checkpoint), key=lambda each: each["size"])
        paths = [each["path"] for each in proofs if (each["old_size"], each["new_size"]) == (old["size"], new["size"])]
        paths += [path for each, path in earlier if each["size"] == old["size"] and new is checkpoint]
        paths += [[]] if old["size"] == new["size"] else []
        if not paths:
            raise Refused("older" if old is checkpoint else "unproven", f"{old['size']}, {new['size']}")
        require_consistent(old, new, paths[0])
    return bool(given_notes)


def checked(data, given_keys=(), given_notes=(), proofs=()):
    """What the bundle shows, in sentences' names and facts. Raises Refused."""
    files = unpacked(data)
    for name in {"manifest", "keys", "checkpoint", "checkpoints.jsonl", "events.jsonl"} - files.keys():
        raise Refused("missing", name)
    keys = [named_key(line) for line in str(files["keys"], "utf-8").splitlines()]
    manifest, note = manifest_of(files, keys), str(files["checkpoint"], "utf-8")
    checkpoint = checkpoint_of(note, keys)
    if manifest["register"] != checkpoint["origin"]:
        raise Refused("origin", f"{manifest['register']}, {checkpoint['origin']}")
    events = proven_events(files, checkpoint)
    require_keys_in_log(events, keys, manifest["register"])
    earlier = [(checkpoint_of(each["note"], keys), each["path"]) for each in lines_of(files["checkpoints.jsonl"])]
    for older, path in earlier:
        require_consistent(older, checkpoint, path)
    own = require_whole(events, manifest["certificate"])
    grades, corrected, turns = outcomes(own, editions_of(events, own, files))
    yield "register", manifest | checkpoint | {"events": len(events), "own": len(own), "files": len(files)}
    for version, fact, computed in grades:
        yield "grade" if computed else "not_computed", {"score": "-"} | fact | {"version": version}
    for version, fact in corrected:
        yield "corrected", {"score": "-"} | fact | {"version": version}
    for version, on, status in turns:
        yield "status", {"version": version, "on": on, "status": status}
    withheld = sum("leaf_hash" in event for event in events)
    if withheld:
        yield "withheld", {"count": withheld}
    yield "not_checked", {"last": own[-1]["version"]}
    verified = agrees_outside(note, checkpoint, earlier, given_keys, given_notes, proofs)
    yield ("verified_but_told" if withheld else "verified") if verified else "consistent", {"count": withheld}


SAID = {
    "register": "Register {register}  登记系统\nCertificate {certificate}  证书\n"
    "{events} events, {own} of them the certificate's; {files} files, made {made} for {for}  事件与文件\n"
    "Checkpoint of {instant}: {size} events, up to position {position}  检查点",
    "grade": "Event {version}: score {score}, level {level}, by {because}: computed again, the same  重新计算一致",
    "not_computed": "Event {version}: level {level}: NOT computed again: it rests on several assessments, or on other "
    "elements than were assessed  未重新计算：依据多次评估或不同要素",
    "corrected": "Event {version}: reads score {score}, level {level}, by {because} since corrections  勘误后读作",
    "status": "Event {version}: {status} from {on} on, corrections applied  自该日起的状态（已计入勘误）",
    "withheld": "{count} events are withheld in part: that they are in the log is proven, what is told of them is not  "
    "部分内容不予披露：其在日志中已证明，所述内容未证明",
    "not_checked": "NOT checked: who the persons are, and how they shared their duties; whether what they recorded is "
    "true;\n  samples and coverage of visits; what documents, page and judgements say; whether event {last} was the "
    "last\n  when the checkpoint was signed: that none followed the register alone says, and signs; what was recorded "
    "later\n未检查：人员身份与职责分离；所记录内容是否真实；监督抽样与覆盖；文本、页面与判定说明的文字；"
    "签署检查点时\n  事件 {last} 是否为最后一个（其后并无事件，仅由登记系统签名声明）；此后的记录",
    "verified": "VERIFIED: nothing here was changed since the checkpoint given was signed.\n"
    "已核实：自所给检查点签署以来未被改动。",
    "verified_but_told": "VERIFIED, but for what is told of the {count} events withheld in part: nothing else here was "
    "changed\nsince the checkpoint given was signed.\n"
    "已核实（{count} 个部分不予披露的事件的说明除外）：其余内容自所给检查点签署以来未被改动。",
    "consistent": "CONSISTENT WITH ITSELF, not verified: give the log's key (--key) and a checkpoint from elsewhere "
    "(--checkpoint).\n自身一致，但未核实：请提供取自他处的日志密钥（--key）和检查点（--checkpoint）。",
}


def main(arguments=None):
    """Says what is found; answers the exit status."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Checks a bundle of evidence.  核验证据包。")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], help="a key of the log, NAME+ID+KEY")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that was kept elsewhere")
    parser.add_argument("--consistency", action="append", default=[], help="GET /ledger/consistency?from=&to=, saved")
    asked, name = parser.parse_args(arguments), ""
    try:
        given = [named_key(key) for key in asked.key], [Path(each).read_text("utf-8") for each in asked.checkpoint]
        proofs = [json.loads(Path(each).read_text("utf-8")) for each in asked.consistency]
        with open(asked.bundle, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""
            for name, facts in [*checked(data, *given, proofs)]:
                print(SAID[name].format(**{each: shown(value) for each, value in facts.items()}))
    except OSError as problem:
        parser.error(str(problem))
    except Refused as refused:
        print(f"REFUSED  拒绝: {refused}")
        return 1
    except UNREADABLE as problem:
        print(f"REFUSED  拒绝: {Refused('malformed', f'{type(problem).__name__}, {problem}')}")
        return 1
    return 0 if name.startswith("verified") else 3


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
