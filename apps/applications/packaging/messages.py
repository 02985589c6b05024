"""The words for what the checks find: one text per code, and what to do about it."""

from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from apps.core.formats import size_text

from .findings import Code, Finding

_PACK_AGAIN = {
    Code.EMPTY_FILE: _("The file is empty. Choose the zip again."),
    Code.NOT_A_ZIP: _("The file is no zip. Batch takes application packages as .zip only."),
    Code.TRUNCATED: _("The zip ends too early: a part is missing. Make or copy it again, then upload it again."),
    Code.PACKAGE_TOO_LARGE: _("The zip is %(size_bytes)s; at most %(limit_bytes)s are allowed."),
    Code.TRAILING_DATA: _("%(extra_bytes)s follow the end of the zip. Pack it again."),
    Code.PREPENDED_DATA: _(
        "%(extra_bytes)s stand before the contents of the zip, as in a self-extracting archive. "
        "Pack the files as a plain zip."
    ),
    Code.AMBIGUOUS_END: _("The comment of the zip holds the end of another zip. Pack it again without a comment."),
    Code.MULTI_DISK: _("The zip is one part of a split archive. Join the parts or pack the files as one zip."),
    Code.END_RECORDS_DIFFER: _("The two end records of the zip disagree (%(field)s). Pack it again."),
    Code.ZIP64_RECORD: _("The zip64 end record is damaged or out of place. Pack it again."),
}
_DIRECTORY = {
    Code.DIRECTORY_PLACE: _("The table of contents is not where the zip says (%(missing_bytes)s missing)."),
    Code.DIRECTORY_DAMAGED: _("The table of contents is damaged at its record %(number)s. Pack the zip again."),
    Code.DIRECTORY_TOO_LARGE: _("The table of contents is %(size_bytes)s; at most %(limit_bytes)s are allowed."),
    Code.ENTRY_COUNT: _("The zip announces %(entries)s entries, its table of contents holds %(found)s."),
    Code.NO_ENTRIES: _("There is nothing in the zip."),
    Code.TOO_MANY_ENTRIES: _("There are %(entries)s entries in the zip; at most %(limit)s are allowed."),
    Code.TOO_MANY_DIRECTORIES: _("The names in the zip make more than the %(limit)s directories allowed."),
    Code.TOTAL_TOO_LARGE: _("The zip unpacks to %(size_bytes)s; at most %(limit_bytes)s are allowed."),
    Code.TOTAL_RATIO: _("The zip unpacks to %(ratio)s times its size; at most %(limit)s times are allowed."),
}
_NAMES = {
    Code.NAME_EMPTY: _("An entry has no name."),
    Code.NAME_TOO_LONG: _("The name is longer than %(limit)s bytes."),
    Code.NAME_PART_TOO_LONG: _("A file or directory name in it is longer than the %(limit)s bytes a node can store."),
    Code.NAME_TOO_DEEP: _("It lies more than %(limit)s directories deep."),
    Code.NAME_ENCODING: _("The name is not UTF-8, so each tool would read another one. Pack with UTF-8 names."),
    Code.NAME_NUL: _("The name holds a NUL character."),
    Code.NAME_CONTROL: _("The name holds a control character or one that changes the direction of text."),
    Code.NAME_BACKSLASH: _(
        "The name holds a backslash; zip names use “/”. Old .NET versions write such zips: pack with another tool."
    ),
    Code.NAME_ABSOLUTE: _("The name is an absolute path. Pack with relative paths."),
    Code.NAME_DRIVE: _("The name begins with a drive letter. Pack with relative paths."),
    Code.NAME_UNC: _("The name is a network path. Pack with relative paths."),
    Code.NAME_PARENT: _("The name leads out of the package (“..”). Pack with relative paths from one directory."),
    Code.NAME_DOTS: _("A part of the name is only dots and spaces, which Windows takes for another directory."),
    Code.NAME_DUPLICATE: _("The name is in the zip twice."),
    Code.NAME_CASE: _("The name differs from “%(other)s” only in case or in how accents are written."),
    Code.FILE_AND_DIRECTORY: _("One path is a file and a directory; compare with “%(other)s”."),
    Code.UNICODE_PATH: _("The entry has two different names, and tools differ in which they use."),
    Code.NAME_WINDOWS: _("Windows nodes cannot unpack this name; Linux nodes can."),
}
_KINDS = {
    Code.SYMBOLIC_LINK: _("It is a symbolic link. Pack the file it points to (zip without “-y”)."),
    Code.SPECIAL_FILE: _("It is a device, pipe or other special file. Only files and directories can be packed."),
    Code.KIND_CONFLICT: _("It is marked as a file and as a directory at once."),
    Code.DIRECTORY_WITH_DATA: _("It is a directory and yet holds %(size_bytes)s of data."),
    Code.ENCRYPTED: _("It is encrypted. Nodes cannot ask for a password: pack without one."),
    Code.PATCH_DATA: _("It holds patch data rather than a file."),
    Code.METHOD: _("It is compressed with %(method)s. Only stored and Deflate unpack on every node."),
    Code.VERSION: _("It asks for zip version %(version)s; nodes read up to %(limit)s. Pack with another tool."),
    Code.ENTRY_TOO_LARGE: _("It unpacks to %(size_bytes)s; at most %(limit_bytes)s are allowed."),
    Code.ENTRY_RATIO: _("It unpacks to %(ratio)s times its size; at most %(limit)s times are allowed."),
    Code.STORED_SIZE: _(
        "It is stored without compression, yet has two sizes: %(size_bytes)s and %(compressed_bytes)s."
    ),
    Code.EXTRA_FIELD: _("An extra field of its header is damaged. Pack the zip again."),
    Code.ZIP64_EXTRA: _("The zip64 sizes of its header are damaged. Pack the zip again."),
}
_BYTES = {
    Code.LOCAL_HEADER: _("Its header is missing or damaged. Pack the zip again."),
    Code.LOCAL_DIFFERS: _("Its header and the table of contents disagree (%(field)s). Pack the zip again."),
    Code.DESCRIPTOR: _("The record after its data is missing or disagrees with the table of contents."),
    Code.OVERLAP: _("Its data overlaps that of “%(other)s”."),
    Code.OVERLAPS_DIRECTORY: _("Its data reaches into the table of contents."),
    Code.HIDDEN_DATA: _("%(extra_bytes)s that belong to no entry follow its data. Pack the zip again."),
    Code.DATA_DAMAGED: _("Its compressed data is damaged. Pack the zip again and upload it again."),
    Code.DATA_ENDS_EARLY: _("Its compressed data ends too early. Pack the zip again and upload it again."),
    Code.DATA_AFTER_END: _("More data follows the end of its compressed data. Pack the zip again."),
    Code.WRONG_SIZE: _("It does not unpack to the %(size_bytes)s the zip says."),
    Code.CRC: _("Its checksum is %(found)s instead of %(expected)s: the data is damaged. Upload it again."),
}
MESSAGES: dict[Code, Any] = {**_PACK_AGAIN, **_DIRECTORY, **_NAMES, **_KINDS, **_BYTES}


def finding_text(finding: Finding) -> str:
    """The finding in the active language, beginning with the entry it is about; sizes for people."""
    values = {key: size_text(int(value)) if key.endswith("_bytes") else value for key, value in finding.values.items()}
    text = str(MESSAGES[finding.code]) % values
    return text if finding.entry is None else _now("“%(entry)s”: %(text)s") % {"entry": finding.entry, "text": text}
