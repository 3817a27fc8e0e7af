"""Log files that AWS keeps: `s3://BUCKET/PREFIX` and `cloudwatch:GROUP`, fetched for a span of time.

Of a prefix whose folders are dates (`2026/11/24/`, `year=2026/month=11/day=24/hour=07/`) only those of the span are
listed at all.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ringfence.model.errors import InputError, OutsideError, Place

S3, CLOUDWATCH = "s3://", "cloudwatch:"
# A file is filed by the time it was begun, and written up to an hour after what stands in it.
LATE = timedelta(hours=1)
_DATE = re.compile(
    r"(?:^|/)(?:year=)?((?:19|20)\d\d)(?:/(?:month=)?(\d\d)(?:/(?:day=)?(\d\d)(?:/(?:hour=)?(\d\d))?)?)?/$"
)
_AT_ONCE = 8
_ODD = re.compile(r"[%\x00-\x1f\x7f]")
_LONGEST_NAME = 240  # bytes; file systems take 255


def is_aws_place(text: str) -> bool:
    """Tell whether a text names a place of AWS and no file."""
    return text.startswith((S3, CLOUDWATCH))


@contextmanager
def fetched(place: str, since: datetime | None = None, until: datetime | None = None) -> Iterator[Path]:
    """Give a directory with the files of a place; raise InputError for a wrong one, OutsideError where AWS refuses."""
    with TemporaryDirectory(prefix="ringfence-flows-") as directory, _asking(place):
        if place.startswith(S3):
            _fetch_objects(place, Path(directory), since, until)
        else:
            _fetch_events(place, Path(directory), since, until)
        yield Path(directory)


def _fetch_objects(place: str, directory: Path, since: datetime | None, until: datetime | None) -> None:
    bucket, _, prefix = place.removeprefix(S3).partition("/")
    if not bucket or not _is_name(bucket):
        raise InputError("no bucket is named", Place(place), "write s3://BUCKET/PREFIX")
    client = _client("s3")
    keys = list(_keys(client, bucket, prefix, since, until))
    if not keys:
        raise InputError("there is no object of this time", Place(place), "look at the bucket, the prefix and --since")

    above = {parent for key in keys for parent in _above(key)}

    def get(key: str) -> None:
        target = directory / bucket / _path_of(key, is_directory=key in above)
        target.parent.mkdir(parents=True, exist_ok=True)
        answer = client.get_object(Bucket=bucket, Key=key)
        with target.open("wb") as file:
            for block in answer["Body"].iter_chunks(1 << 20):
                file.write(block)
        written = answer["LastModified"].timestamp()
        os.utime(target, (written, written))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(get, keys))


def _above(key: str) -> Iterator[str]:
    """Yield the keys that would be directories of a key."""
    place = key.find("/")
    while place >= 0:
        yield key[:place]
        place = key.find("/", place + 1)


def _path_of(key: str, *, is_directory: bool) -> str:
    """Return the path for an object: its key where that is one, else with words that no other key has.

    A key is any text: `..`, nothing between two slashes, and what is an object and the beginning of others too.
    """
    parts = [part if _is_name(part) else _named(part) for part in key.split("/")]
    if is_directory:
        parts[-1] = _named(parts[-1])
    return "/".join(parts)


def _is_name(part: str) -> bool:
    long = len(part.encode(errors="surrogatepass")) > _LONGEST_NAME
    return part not in ("", ".", "..") and not long and not _ODD.search(part)


def _named(part: str) -> str:
    shown = re.sub(r"[^A-Za-z0-9_-]", "_", part)[:40]
    return f"{shown}%{hashlib.sha256(part.encode(errors='surrogatepass')).hexdigest()[:16]}"


def _keys(client: Any, bucket: str, prefix: str, since: datetime | None, until: datetime | None) -> Iterator[str]:
    """Yield the keys below a prefix; a folder that is a date out of the span is not entered."""
    date = _DATE.search(prefix)
    whole = bool(date and date[4]) or (since is None and until is None)
    asked = {"Bucket": bucket, "Prefix": prefix} | ({} if whole else {"Delimiter": "/"})
    for page in client.get_paginator("list_objects_v2").paginate(**asked):
        for one in page.get("Contents", ()):
            if not one["Key"].endswith("/") and one["Size"]:
                yield one["Key"]
        for folder in page.get("CommonPrefixes", ()):
            if _of_span(folder["Prefix"], since, until):
                yield from _keys(client, bucket, folder["Prefix"], since, until)


def _of_span(prefix: str, since: datetime | None, until: datetime | None) -> bool:
    date = _DATE.search(prefix)
    if not date:
        return True
    year, month, day, hour = (int(part) if part else None for part in date.groups())
    try:
        first = datetime(year or 1, month or 1, day or 1, hour or 0, tzinfo=UTC)
        if hour is not None:
            last = first + timedelta(hours=1)
        elif day is not None:
            last = first + timedelta(days=1)
        else:
            last = datetime(first.year + (month in (None, 12)), 1 if month is None else month % 12 + 1, 1, tzinfo=UTC)
    except ValueError:
        return True  # digits that are no date
    return (since is None or last + LATE > since) and (until is None or first - LATE < until)


def _fetch_events(place: str, directory: Path, since: datetime | None, until: datetime | None) -> None:
    group = place.removeprefix(CLOUDWATCH)
    if not group:
        raise InputError("no log group is named", Place(place), "write cloudwatch:GROUP")
    asked: dict[str, Any] = {"logGroupName": group}
    if since is not None:
        asked["startTime"] = int((since - LATE).timestamp() * 1000)
    if until is not None:
        asked["endTime"] = int((until + LATE).timestamp() * 1000)
    with (directory / "events.log").open("w", encoding="utf-8", errors="backslashreplace") as file:
        for page in _client("logs").get_paginator("filter_log_events").paginate(**asked):
            file.writelines(event["message"].rstrip("\n") + "\n" for event in page["events"])


def _client(service: str) -> Any:
    try:
        import boto3  # an extra
    except ImportError as error:
        raise InputError("reading from AWS needs boto3", remedy="pip install 'ringfence[aws]'") from error
    return boto3.client(service)


@contextmanager
def _asking(place: str) -> Iterator[None]:
    """Turn what AWS or the way to it refuses into an OutsideError with its place."""
    try:
        yield
    except OSError as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "boto3", "s3transfer"):
            raise OutsideError(f"cannot be fetched: {error.strerror or error}", Place(place)) from error
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "boto3", "s3transfer"):
            raise
        raise OutsideError(
            f"AWS cannot be asked: {error}",
            Place(place),
            "look at the credentials, the region (AWS_DEFAULT_REGION) and the rights to list and read",
        ) from error
