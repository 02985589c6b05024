"""What a package may be at most."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds of a package; sizes and lengths in bytes.

    A ratio is uncompressed size divided by compressed size. It is not looked at below `ratio_floor`
    uncompressed bytes, because small files of one repeated byte are common and harmless.
    `max_directories` counts the directories that names imply (``a/b/c`` implies two), which a zip
    of few entries could otherwise multiply without bound.
    """

    max_entries: int = 100_000
    max_directories: int = 100_000
    max_package_bytes: int = 100 * GIB
    max_total_bytes: int = 500 * GIB
    max_entry_bytes: int = 500 * GIB
    max_ratio: int = 200
    ratio_floor_bytes: int = 16 * MIB
    max_name_bytes: int = 1024
    max_name_part_bytes: int = 255
    max_depth: int = 64
    max_directory_bytes: int = 64 * MIB
    max_findings: int = 20
