"""Application packages as files: what may be activated, and what is in them.

`check_zip` decides over a staged upload, `read_directory` and `open_entry` read a package wherever it
can be read by ranges. Nothing here knows of Django except `messages`, which holds the words.
"""

from .check import check_zip
from .contents import open_entry
from .directory import Directory, Entry, read_directory
from .findings import CheckStoppedError, Code, Finding, ZipRefusedError, ZipReport
from .limits import Limits
from .sources import FileSource, RangedSource

__all__ = [
    "CheckStoppedError",
    "Code",
    "Directory",
    "Entry",
    "FileSource",
    "Finding",
    "Limits",
    "RangedSource",
    "ZipRefusedError",
    "ZipReport",
    "check_zip",
    "open_entry",
    "read_directory",
]
