"""Documents that must stay true."""

import re

from scripts.install import ROOT

SETTINGS = ROOT / "batchportal" / "settings"


def test_every_setting_stands_in_the_operators_table() -> None:
    code = "".join((SETTINGS / f"{name}.py").read_text() for name in ("base", "production"))
    code += (ROOT / "gunicorn.conf.py").read_text()
    read = set(re.findall(r"(?:env_\w+|env\.\w+|environ\.get)\(\s*\"([A-Z_]+)\"", code))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operators.md").read_text(), re.MULTILINE))
    assert len(read) > 40
    assert read == told
