"""Windows command lines on a Linux host, as far as they translate.

``cmd /c LINE`` becomes ``/bin/sh -c LINE`` with ``%NAME%`` as the shell's variables, ``echo.``, ``dir``, ``copy``,
``move``, ``del``, ``type``, ``set`` and ``exit /b`` as their counterparts and backslashes of paths as slashes.
Everything else is left as it is and may fail: then the translation is to blame, which a line in stderr says.
"""

import re

NOTICE = "this node is not a Windows machine: its commands are translated for /bin/sh\n"

_CMD = re.compile(
    r"""\s*"?(?:[A-Za-z]:\\[\w\\]*\\)?cmd(?:\.exe)?"?\s+(?:/[a-bd-z]\s+)*/c\s*(.*)""", re.IGNORECASE | re.DOTALL
)
_VARIABLE = re.compile(r"%([A-Za-z_][\w#.\-()]*)%")
_WORDS = {
    "dir": "ls -la",
    "copy": "cp",
    "move": "mv",
    "del": "rm -f",
    "type": "cat",
    "set": "env",
    "md": "mkdir -p",
    "rd": "rmdir",
    "rem": ":",
    "ver": "echo Microsoft Windows",
    "where": "command -v",
}
_WORD = re.compile(rf"(^|&&|\|\||[&|(])(\s*)({'|'.join(_WORDS)})(?=\s|$|[&|)])", re.IGNORECASE)
_EXIT = re.compile(r"\bexit\s+/b\b", re.IGNORECASE)
_ECHO_DOT = re.compile(r"\becho\.", re.IGNORECASE)
_TIMEOUT = re.compile(r"\btimeout\s+(?:/t\s+)?(\d+)(?:\s+/nobreak)?", re.IGNORECASE)
_NUL = re.compile(r">\s*nul\b", re.IGNORECASE)


def translate(command_line: str) -> list[str] | None:
    """The words of a command for this host, None when it is not a line for ``cmd /c``."""
    match = _CMD.fullmatch(command_line)
    if match is None:
        return None
    return ["/bin/sh", "-c", script(_unquoted(match[1].strip()))]


def script(line: str) -> str:
    line = line.replace("\\", "/")
    line = _WORD.sub(lambda found: f"{found[1]}{found[2]}{_WORDS[found[3].lower()]}", line)
    line = _EXIT.sub("exit", line)
    line = _ECHO_DOT.sub("echo ", line)
    line = _TIMEOUT.sub(r"sleep \1", line)
    line = _NUL.sub("> /dev/null", line)
    line = re.sub(r"(?<!&)&(?!&)", ";", line)
    return _VARIABLE.sub(lambda found: "${" + variable(found[1]) + "}", line)


def _unquoted(line: str) -> str:
    """cmd takes one pair of quotes away that encloses everything."""
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' and line.count('"') == 2 else line


def variable(name: str) -> str:
    """How a variable is called for the shell: Windows does not compare their case and allows more characters."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name).upper()


def environment(variables: dict[str, str]) -> dict[str, str]:
    """The variables under their own names and under those of translated lines."""
    return {variable(name): value for name, value in variables.items()} | variables
