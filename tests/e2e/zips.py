"""Packages as teams build them, made when a test needs one."""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from pathlib import Path

MIB = 1024 * 1024


def text_zip(path: Path) -> Path:
    """A program of a few files, different each time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bin/run.sh", f"#!/bin/sh\necho {uuid.uuid4().hex}\n")
        archive.writestr("share/readme.txt", "How to run this.\n" * 200)
    return path


def program_zip(path: Path, mebibytes: int) -> Path:
    """A program as teams ship them: libraries that hardly compress, scripts and logs that do."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(4):
            entry = zipfile.ZipInfo(f"lib/part{number}.so")
            with archive.open(entry, "w", force_zip64=True) as library:
                for _ in range(mebibytes // 4):
                    library.write(os.urandom(MIB))
        script = "frame=%d samples=128 denoise=on\n"
        text = "".join(script % frame for frame in range(20_000))
        archive.writestr("share/frames.txt", text, zipfile.ZIP_DEFLATED, 1)
        archive.writestr("bin/run.sh", "#!/bin/sh\nexec lib/part0.so\n", zipfile.ZIP_DEFLATED)
    return path


def hostile_zip(path: Path) -> Path:
    """A zip with an entry that would be unpacked outside its directory."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bin/run.sh", "#!/bin/sh\n")
        archive.writestr("../../etc/cron.d/evil", "* * * * * root true\n")
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
