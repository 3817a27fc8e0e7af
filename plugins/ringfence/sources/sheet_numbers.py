"""A number or a date of a workbook as the text that its number format shows, which a CSV export would have.

Formats are those of ECMA-376 part 1, 18.8.31; names of months and days are English whatever the locale.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# What a format shows as the reader's locale has it, and openpyxl's own for a date: these are written as ISO 8601.
_LOCAL_DATES = ("mm-dd-yy", "m/d/yy h:mm", "yyyy-mm-dd h:mm:ss", "General")
_TOKENS = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]|(?P<exponent>E[+-]0+)'
    r"|(?P<general>General)|(?P<digit>[0#?])|(?P<sign>[.,%@])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_DATES = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]'
    r"|(?P<half>AM/PM|A/P)|(?P<part>y+|m+|d+|h+|s+)(?P<fraction>\.0+)?|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")
_MOST_DIGITS = 400


def general_text(value: float) -> str:
    """Return a number in full, with the 15 digits that a spreadsheet keeps."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return format(value, ".15g")


def number_text(value: float, code: str) -> str:
    """Return a number as a format shows it; in full if the format shows nothing, or is not known here."""
    if code in ("General", "@", "") or not abs(value) < 10**_MOST_DIGITS:
        return general_text(value)
    section, signed = _section(value, code)
    return _filled(Decimal(repr(value)) if signed else abs(Decimal(repr(value))), section) or general_text(value)


def date_text(value: datetime.datetime | datetime.date | datetime.time | datetime.timedelta, code: str) -> str:
    """Return a date, a time or a duration as a format shows it; in ISO 8601 where that is the reader's locale's."""
    if code in _LOCAL_DATES or not _DATES.search(code):
        return _iso(value)
    if isinstance(value, datetime.timedelta):
        moment, elapsed = datetime.datetime(1900, 1, 1) + value % datetime.timedelta(days=1), value
    elif isinstance(value, datetime.time):
        moment = datetime.datetime.combine(datetime.date(1900, 1, 1), value)
        elapsed = moment - datetime.datetime(1900, 1, 1)
    else:
        moment = (
            value if isinstance(value, datetime.datetime) else datetime.datetime(value.year, value.month, value.day)
        )
        elapsed = moment - datetime.datetime(1899, 12, 30)
    return _dated(moment, elapsed, code).strip() or _iso(value)


def _iso(value: datetime.datetime | datetime.date | datetime.time | datetime.timedelta) -> str:
    if isinstance(value, datetime.timedelta):
        return str(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat()


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[tuple[re.Match[str], ...], ...]:
    found: list[list[re.Match[str]]] = [[]]
    for token in _TOKENS.finditer(code):
        if token["other"] == ";":
            found.append([])
        else:
            found[-1].append(token)
    return tuple(tuple(section) for section in found)


def _section(value: float, code: str) -> tuple[Sequence[re.Match[str]], bool]:
    """Return the part of a format that a number takes, and whether it shows the sign of the number by itself."""
    numbers = _sections(code)[:3]
    conditions = [_condition(section) for section in numbers]
    if any(conditions):
        for section, condition in zip(numbers, conditions, strict=True):
            if condition is None or _holds(value, *condition):
                return section, condition is None
        return numbers[-1], True
    if value < 0 and len(numbers) > 1:
        return numbers[1], False
    return (numbers[2] if value == 0 and len(numbers) > 2 else numbers[0]), True


def _condition(section: Sequence[re.Match[str]]) -> tuple[str, float] | None:
    found = next(
        (one for token in section if token["bracket"] and (one := _CONDITION.fullmatch(token["bracket"]))), None
    )
    return None if found is None else (found[1], float(found[2]))


def _holds(value: float, sign: str, other: float) -> bool:
    return {
        "<": value < other,
        ">": value > other,
        "<=": value <= other,
        ">=": value >= other,
        "=": value == other,
        "<>": value != other,
    }[sign]


def _literal(token: re.Match[str]) -> str:
    if token["quoted"] is not None:
        return token["quoted"]
    if token["bracket"] is not None:
        # [$€-407] is a sign of currency and its locale; others are colours and conditions.
        return token["bracket"][1:].partition("-")[0] if token["bracket"].startswith("$") else ""
    return token["escaped"] or token["other"] or ""


def _filled(value: Decimal, section: Sequence[re.Match[str]]) -> str:
    kinds = [token.lastgroup or "" for token in section]
    if "general" in kinds:
        texts = [general_text(float(value)) if token["general"] else _literal(token) for token in section]
        return "".join(texts).strip()
    if "digit" not in kinds:
        return "".join(_literal(token) for token in section).strip()
    if any(token["other"] == "/" for token in section):
        return ""
    signs = [token["sign"] for token in section]
    point = signs.index(".") if "." in signs else len(section)
    digits = [at for at, kind in enumerate(kinds) if kind == "digit"]
    last = max((at for at in digits if at < point), default=-1)
    # Commas behind the last digit, of the whole or of the fraction, divide by a thousand each.
    scaled = sum(_commas(signs[at + 1 :]) for at in {last, digits[-1]})
    value = value * 100 ** signs.count("%") / 1000**scaled
    places = kinds[point:].count("digit") if "exponent" not in kinds else 0
    if "exponent" in kinds:
        return _scientific(value, section, kinds, point)
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    grouped = "," in signs[: last + 1]
    text = _whole(whole.lstrip("0"), section[:point], grouped) + _fraction(fraction, section[point:])
    return ("-" if rounded < 0 else "") + text.strip()


def _commas(signs: Sequence[str | None]) -> int:
    return next((count for count, sign in enumerate(signs) if sign != ","), len(signs))


def _whole(digits: str, section: Sequence[re.Match[str]], grouped: bool) -> str:
    places = [token["digit"] for token in section if token["digit"]]
    least = len(places) - places.index("0") if "0" in places else 0
    left = list(digits.rjust(least, "0"))
    found: list[str] = []
    taken, open_places = 0, len(places)
    for token in reversed(section):
        if not token["digit"]:
            found.append("%" if token["sign"] == "%" else _literal(token))
            continue
        open_places -= 1
        # The first place takes all digits that are left.
        for _ in range(max(1, len(left)) if open_places == 0 else 1):
            if left:
                found.append("," if grouped and taken and taken % 3 == 0 else "")
                found.append(left.pop())
                taken += 1
            elif token["digit"] == "?":
                found.append(" ")
    return "".join(part[::-1] for part in found)[::-1]


def _fraction(digits: str, section: Sequence[re.Match[str]]) -> str:
    places = [token["digit"] for token in section if token["digit"]]
    while digits and places and digits[-1] == "0" and places[len(digits) - 1] != "0":
        digits = digits[:-1]
    left = iter(digits)
    texts = []
    for token in section:
        if token["digit"]:
            texts.append(next(left, " " if token["digit"] == "?" else ""))
        elif token["sign"] == ".":
            texts.append("." if digits else "")
        else:
            texts.append("%" if token["sign"] == "%" else _literal(token))
    return "".join(texts)


def _scientific(value: Decimal, section: Sequence[re.Match[str]], kinds: Sequence[str], point: int) -> str:
    at = kinds.index("exponent")
    code = section[at]["exponent"]
    mantissa, _, exponent = f"{value:.{kinds[point:at].count('digit')}E}".partition("E")
    number = int(exponent)
    sign = "-" if number < 0 else "+" if code[1] == "+" else ""
    return f"{mantissa}E{sign}{str(abs(number)).rjust(len(code) - 2, '0')}"


def _dated(moment: datetime.datetime, elapsed: datetime.timedelta, code: str) -> str:
    tokens = list(_DATES.finditer(code.partition(";")[0]))
    parts = [(token["part"] or token["elapsed"] or "").lower() for token in tokens]
    half = any(token["half"] for token in tokens)
    texts = []
    for at, token in enumerate(tokens):
        part = parts[at]
        if token["elapsed"]:
            seconds = int(elapsed.total_seconds())
            texts.append(str(seconds // {"h": 3600, "m": 60, "s": 1}[part[0]]).rjust(len(part), "0"))
        elif token["half"]:
            words = token["half"].split("/")
            texts.append(words[moment.hour >= 12])
        elif part:
            before = next((one for one in reversed(parts[:at]) if one), "")
            after = next((one for one in parts[at + 1 :] if one), "")
            minutes = part[0] == "m" and len(part) < 3 and (before[:1] == "h" or after[:1] == "s")
            texts.append(_part(moment, "M" * len(part) if minutes else part, half) + _second_part(moment, token))
        else:
            texts.append(token["quoted"] or token["escaped"] or token["other"] or "")
    return "".join(texts)


def _part(moment: datetime.datetime, part: str, half: bool) -> str:
    """Return what a letter of a date's format shows, `M` being minutes."""
    many = len(part)
    if part[0] == "y":
        return f"{moment.year:04d}" if many > 2 else f"{moment.year % 100:02d}"
    if part[0] in "md" and many > 2:
        name = moment.strftime("%B" if part[0] == "m" else "%A")
        return name[0] if many == 5 and part[0] == "m" else name[:3] if many == 3 else name
    hour = (moment.hour - 1) % 12 + 1 if half else moment.hour
    value = {"m": moment.month, "d": moment.day, "h": hour, "M": moment.minute, "s": moment.second}[part[0]]
    return str(value).rjust(min(many, 2), "0")


def _second_part(moment: datetime.datetime, token: re.Match[str]) -> str:
    fraction = token["fraction"]
    return f".{moment.microsecond:06d}"[: len(fraction)] if fraction else ""
