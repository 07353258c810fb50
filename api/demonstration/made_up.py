"""An edition that nobody published: the first scheme's shipped text with two values changed, for demonstrations."""

from lifecycle.rules import Edition, load_edition, shipped_editions

SHIPPED = "CSP-S01-001:2021"
NAMED = (
    ('zh = "报警运营服务认证规则"', 'zh = "虚构的版本，仅供演示"'),
    ('en = "Rules for', 'en = "A made-up edition, for demonstration only: rules for'),
)


def made_up(five_stars: str = "93", months: int = 18) -> Edition:
    """The shipped edition with another least score for five stars, and another interval for four."""
    text = shipped_editions()[SHIPPED].text
    for old, new in (*NAMED, (f'id = "{SHIPPED}"', f'id = "CSP-S01-001:made-up-{five_stars}-{months}"'),
                     ('"95", unit', f'"{five_stars}", unit')):  # fmt: skip
        text = text.replace(old, new)
    head, four_stars = text.split('code = "four_star"')
    return load_edition(
        f'{head}code = "four_star"{four_stars.replace("value = 12", f"value = {months}", 1)}', file="made-up.toml"
    )
