"""The first scheme's text with other elements: one renamed, one split, two merged, one dropped, one new, two that weigh
otherwise; the others as they were."""

from __future__ import annotations

import re

RENAMED, SPLIT, MERGED, DROPPED, ADDED, HEAVIER, LIGHTER = (
    "6",
    "5.2.1",
    ("5.1.1", "5.5"),
    "4.2.1",
    "8",
    "4.2.2",
    "4.2.3",
)
NEVER_CHECKED = (ADDED,)
WITHOUT_MARKS = ("4.2.2", "4.2.3", "5.1.1", "5.2.1a", "5.2.1b", "8")
"""In the order of the elements: those whose marks do not stand."""

ROWS = "".join(
    f'[[succession.elements]]\nkind = "{kind}"\n'
    + "".join(f"{side} = {list(codes)!r}\n".replace("'", '"') for side, codes in (("old", old), ("new", new)) if codes)
    + 'status = "assumed"\n'
    for kind, old, new in (
        ("same", ("6",), ("7",)),
        ("split", ("5.2.1",), ("5.2.1a", "5.2.1b")),
        ("merged", ("5.1.1", "5.5"), ("5.1.1",)),
        ("dropped", ("4.2.1",), ()),
        ("new", (), ("8",)),
    )
)


def with_other_elements(text: str) -> str:
    """The elements replaced; where they come from (ROWS) goes after the succession."""
    for pattern, replacement in (
        (r'(?m)^  \{ code = "4\.2\.1".*\n', ""),
        (r'("4\.2\.2".*?value = )"4"', r'\1"5"'),
        (r'("4\.2\.3".*?value = )"4"', r'\1"3"'),
        (r'(?m)^(.*"5\.2\.1")(.*)"6"(.*\n)', _parts),
        (r'("5\.1\.1".*?value = )"3"', r'\1"7"'),
        (r'(?m)^  \{ code = "5\.5".*\n', ""),
        (r'(?m)^(.*)"6"(, zh.*\n)', r'\1"7"\2\1"8"\2'),
    ):
        text, times = re.subn(pattern, replacement, text, count=1)
        assert times == 1, pattern
    return text


def _parts(line: re.Match[str]) -> str:
    head, middle, tail = line.groups()
    return "".join(f'{head[:-1]}{part}"{middle}"3"{tail}' for part in "ab")
