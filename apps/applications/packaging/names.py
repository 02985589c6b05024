"""Rules for the names of entries.

A package is unpacked by tools we do not choose, on Linux and on Windows nodes, so a name must mean
the same file, inside the target directory, to all of them.
"""

import re
import unicodedata
from typing import Protocol

from .findings import Code, Findings
from .findings import shown_name as _shown
from .limits import Limits

# C0, C1 and DEL, line separators, and the marks that make a name read differently than it is.
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DRIVE = re.compile(r"[A-Za-z]:")
_PARENT = re.compile(r"(?:^|/)\.\.(?:/|$)")
# "..." or ".. ": Windows drops trailing dots and spaces, which leaves nothing or "..". A file "a/." is no file.
_DOTS = re.compile(r"(?:^|/)(?!\./)[. ]+(?:/|$)")
_WINDOWS_CHARACTERS = re.compile('[<>:"|?*]|[. ](?:/|$)')
_WINDOWS_DEVICES = re.compile("/(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|$)")


def decoded_name(name: bytes) -> str | None:
    """The name as text, or None if tools would read it differently.

    Names are ASCII or UTF-8, with the UTF-8 flag (bit 11, APPNOTE 4.4.4) or without: zip tools on
    Linux write UTF-8 without it. A name in an old code page depends on the machine that unpacks.
    """
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None


def name_problem(text: str) -> Code | None:
    """Why this name cannot be unpacked safely everywhere, or None."""
    if _plain(text):
        return None
    if "\x00" in text:
        return Code.NAME_NUL
    if text.startswith(("//", "\\\\")):
        return Code.NAME_UNC
    if text.startswith(("/", "\\")):
        return Code.NAME_ABSOLUTE
    if _DRIVE.match(text):
        return Code.NAME_DRIVE
    return _part_problem(text)


def _plain(text: str) -> bool:
    """Whether no rule can apply: a hundred thousand names are looked at, and nearly all are harmless."""
    return text.isprintable() and not (text[:1] in "/. " or "\\" in text or ":" in text or "/." in text or "/ " in text)


def _part_problem(text: str) -> Code | None:
    if _PARENT.search(text.replace("\\", "/")):
        return Code.NAME_PARENT
    if "\\" in text:
        return Code.NAME_BACKSLASH
    if _CONTROL.search(text):
        return Code.NAME_CONTROL
    return Code.NAME_DOTS if _DOTS.search(text) else None


def length_problem(name: bytes, limits: Limits) -> tuple[Code, int] | None:
    """The code and the limit a name's length or depth breaks, or None."""
    if len(name) > limits.max_name_bytes:
        return Code.NAME_TOO_LONG, limits.max_name_bytes
    if name.count(b"/") > limits.max_depth:
        return Code.NAME_TOO_DEEP, limits.max_depth
    longest = limits.max_name_part_bytes
    if len(name) > longest and max(map(len, name.split(b"/"))) > longest:
        return Code.NAME_PART_TOO_LONG, longest
    return None


def unusable_on_windows(text: str) -> bool:
    """Whether Windows has no file of this name: reserved characters, devices, trailing dots."""
    return bool(_WINDOWS_CHARACTERS.search(text) or _WINDOWS_DEVICES.search("/" + text.lower()))


def path_key(text: str) -> str:
    """What two names that lead to one file have in common: case, Unicode form and `./` taken out."""
    if text.isascii():
        key = text.lower()
    else:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    if "//" in key or "/." in key or key.startswith("./"):
        return "/".join(part for part in key.split("/") if part not in ("", "."))
    return key.removesuffix("/")


class NameLookup(Protocol):
    """Gives back the raw name of an entry that was seen before."""

    def name(self, index: int) -> bytes: ...


class NameIndex:
    """Finds names that collide, holding one 64-bit hash per path instead of the path.

    `names` gives the raw name of an earlier entry by its index, so that a collision of hashes is
    never taken for one of names.
    """

    def __init__(self, names: NameLookup, limits: Limits, findings: Findings) -> None:
        self._names = names
        self._limits = limits
        self._findings = findings
        self._entries: dict[int, int] = {}
        self._parents: dict[int, int] = {}
        self._last_parent = ""

    def add(self, index: int, name: bytes, text: str) -> bool:
        """Takes the next entry in. False when there are too many directories to go on."""
        key = path_key(text)
        if not key:  # "./" is the target directory itself, which some tools list
            return True
        if not self._add_parents(index, name, key):
            return False
        digest = hash(key)
        earlier = self._entries.setdefault(digest, index)
        if earlier != index and self._key_of(earlier) == key:
            self._collision(name, earlier)
        elif not name.endswith(b"/") and digest in self._parents:
            self._below(name, key, self._parents[digest])
        return True

    def _collision(self, name: bytes, earlier: int) -> None:
        other = self._names.name(earlier)
        if name.endswith(b"/") != other.endswith(b"/"):
            code = Code.FILE_AND_DIRECTORY
        else:
            code = Code.NAME_DUPLICATE if name == other else Code.NAME_CASE
        self._findings.add(code, name, other=_shown(other))

    def _below(self, name: bytes, key: str, index: int) -> None:
        if self._key_of(index).startswith(key + "/"):
            other = _shown(self._names.name(index))
            self._findings.add(Code.FILE_AND_DIRECTORY, name, other=other)

    def _add_parents(self, index: int, name: bytes, key: str) -> bool:
        parent = key.rpartition("/")[0]
        if parent == self._last_parent:
            return True
        self._last_parent = parent
        while parent:
            digest = hash(parent)
            if digest in self._parents:
                break  # its own parents were seen with it
            self._parents[digest] = index
            self._check_parent(name, parent, digest)
            parent = parent.rpartition("/")[0]
        return self._within_limit()

    def _check_parent(self, name: bytes, parent: str, digest: int) -> None:
        earlier = self._entries.get(digest)
        if earlier is None or self._key_of(earlier) != parent:
            return
        other = self._names.name(earlier)
        if not other.endswith(b"/"):
            self._findings.add(Code.FILE_AND_DIRECTORY, name, other=_shown(other))

    def _within_limit(self) -> bool:
        limit = self._limits.max_directories
        if len(self._parents) <= limit:
            return True
        self._findings.add(Code.TOO_MANY_DIRECTORIES, limit=limit)
        return False

    def _key_of(self, index: int) -> str:
        return path_key(decoded_name(self._names.name(index)) or "")
