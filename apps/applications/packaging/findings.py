"""What the checks can find, as stable codes with values; the words stand in `messages`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN_NAME_CHARACTERS = 200


class Code(StrEnum):
    """One reason to refuse a package, or (`NAME_WINDOWS`) to warn about it."""

    # The file as a whole
    EMPTY_FILE = "zip-empty-file"
    NOT_A_ZIP = "zip-not-a-zip"
    TRUNCATED = "zip-truncated"
    PACKAGE_TOO_LARGE = "zip-package-too-large"
    TRAILING_DATA = "zip-trailing-data"
    PREPENDED_DATA = "zip-prepended-data"
    AMBIGUOUS_END = "zip-ambiguous-end"
    MULTI_DISK = "zip-multi-disk"
    END_RECORDS_DIFFER = "zip-end-records-differ"
    ZIP64_RECORD = "zip-zip64-record"
    # The central directory
    DIRECTORY_PLACE = "zip-directory-place"
    DIRECTORY_DAMAGED = "zip-directory-damaged"
    DIRECTORY_TOO_LARGE = "zip-directory-too-large"
    ENTRY_COUNT = "zip-entry-count"
    NO_ENTRIES = "zip-no-entries"
    TOO_MANY_ENTRIES = "zip-too-many-entries"
    TOO_MANY_DIRECTORIES = "zip-too-many-directories"
    TOTAL_TOO_LARGE = "zip-total-too-large"
    TOTAL_RATIO = "zip-total-ratio"
    # Names
    NAME_EMPTY = "zip-name-empty"
    NAME_TOO_LONG = "zip-name-too-long"
    NAME_PART_TOO_LONG = "zip-name-part-too-long"
    NAME_TOO_DEEP = "zip-name-too-deep"
    NAME_ENCODING = "zip-name-encoding"
    NAME_NUL = "zip-name-nul"
    NAME_CONTROL = "zip-name-control"
    NAME_BACKSLASH = "zip-name-backslash"
    NAME_ABSOLUTE = "zip-name-absolute"
    NAME_DRIVE = "zip-name-drive"
    NAME_UNC = "zip-name-unc"
    NAME_PARENT = "zip-name-parent"
    NAME_DOTS = "zip-name-dots"
    NAME_DUPLICATE = "zip-name-duplicate"
    NAME_CASE = "zip-name-case"
    FILE_AND_DIRECTORY = "zip-file-and-directory"
    UNICODE_PATH = "zip-unicode-path"
    NAME_WINDOWS = "zip-name-windows"
    # Kinds and methods
    SYMBOLIC_LINK = "zip-symbolic-link"
    SPECIAL_FILE = "zip-special-file"
    KIND_CONFLICT = "zip-kind-conflict"
    DIRECTORY_WITH_DATA = "zip-directory-with-data"
    ENCRYPTED = "zip-encrypted"
    PATCH_DATA = "zip-patch-data"
    METHOD = "zip-method"
    VERSION = "zip-version"
    # Sizes and extra fields
    ENTRY_TOO_LARGE = "zip-entry-too-large"
    ENTRY_RATIO = "zip-entry-ratio"
    STORED_SIZE = "zip-stored-size"
    EXTRA_FIELD = "zip-extra-field"
    ZIP64_EXTRA = "zip-zip64-extra"
    # Where entries lie
    LOCAL_HEADER = "zip-local-header"
    LOCAL_DIFFERS = "zip-local-differs"
    DESCRIPTOR = "zip-descriptor"
    OVERLAP = "zip-overlap"
    OVERLAPS_DIRECTORY = "zip-overlaps-directory"
    HIDDEN_DATA = "zip-hidden-data"
    # What is inside
    DATA_DAMAGED = "zip-data-damaged"
    DATA_ENDS_EARLY = "zip-data-ends-early"
    DATA_AFTER_END = "zip-data-after-end"
    WRONG_SIZE = "zip-wrong-size"
    CRC = "zip-crc"


@dataclass(frozen=True, slots=True)
class Finding:
    """A code, the name of the entry it is about (None: the whole file), and values for its words.

    Values whose key ends in `_bytes` are sizes in bytes. `entry` is safe to show: undecodable and
    control characters are escaped, and a long name is cut.
    """

    code: Code
    entry: str | None = None
    values: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ZipReport:
    """The outcome of `check_zip`; sizes in bytes, counts as far as the checks came.

    `cut` is true when the checks stopped at `Limits.max_findings`; `contents_checked` is true when
    every entry was inflated, which does not happen once the directory gave a reason to refuse.
    """

    entries: int
    directories: int
    compressed_bytes: int
    uncompressed_bytes: int
    findings: tuple[Finding, ...]
    notices: tuple[Finding, ...]
    contents_checked: bool
    cut: bool

    @property
    def ok(self) -> bool:
        """Whether the package may be activated."""
        return not self.findings and self.contents_checked


class ZipRefusedError(Exception):
    """The zip, or one entry of it, cannot be used; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.code}: {finding.entry!r} {dict(finding.values)}")
        self.finding = finding


class CheckStoppedError(Exception):
    """`should_stop` asked the checks to end before they were done."""


class Findings:
    """Collects findings up to a limit."""

    def __init__(self, limit: int) -> None:
        self.items: list[Finding] = []
        self.limit = limit

    @property
    def full(self) -> bool:
        """Whether looking further would change nothing."""
        return len(self.items) >= self.limit

    def add(self, code: Code, name: bytes | None = None, **values: int | str) -> None:
        """Keeps one more finding."""
        self.keep(finding(code, name, **values))

    def keep(self, found: Finding) -> None:
        """Keeps it, unless there are enough."""
        if not self.full:
            self.items.append(found)


def finding(code: Code, name: bytes | None = None, **values: int | str) -> Finding:
    """A finding about the entry of this raw name."""
    return Finding(code, None if name is None else shown_name(name), values)


def refused(code: Code, name: bytes | None = None, **values: int | str) -> ZipRefusedError:
    """The exception for one finding."""
    return ZipRefusedError(finding(code, name, **values))


def shown_name(name: bytes) -> str:
    """A raw name as it may be shown and logged."""
    text = name[: SHOWN_NAME_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else _escaped(c) for c in text[:SHOWN_NAME_CHARACTERS])
    return text + "…" if len(name) > len(text.encode()) else text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
