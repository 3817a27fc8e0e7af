"""Which names of variables, attributes and options say that they hold a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_PARTS = (
    "password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "privatekey", "accesskey",
    "basicauth", "passcode", "sharedkey", "encryptionkey", "communitystring",
)  # fmt: skip
_WHOLE = frozenset({"pass", "pw", "pwd", "vault", "userdata", "cookie", "cookies", "auth", "psk", "jwt"})
_PAIRS = frozenset({("api", "key"), ("private", "key"), ("access", "key"), ("user", "data"), ("priv", "key")})
# SNMP's password is its community, and nobody else's is: a whole word, and one of these before it.
_COMMUNITY = frozenset({"snmp", "ro", "rw", "read", "write", "trap"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=65536)
def names_secret(name: str) -> bool:
    """Return whether a name is taken for a secret's: by a part of it, by one of its words, or by two in a row."""
    squeezed = re.sub(r"[^a-z0-9]", "", name.lower())
    if any(part in squeezed for part in _PARTS):
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    return not _WHOLE.isdisjoint(words) or any(
        pair in _PAIRS or (pair[0] in _COMMUNITY and pair[1] in ("community", "communities"))
        for pair in pairwise(words)
    )
