"""Which operations of the two planes are answered.

``python -m emulator.conformance`` writes them into the README. A test fails while the README differs from what the
service really answers.
"""

from collections.abc import Iterable
from pathlib import Path

from emulator import arm, data
from emulator.compat import retired
from emulator.operations import Operation

README = Path(__file__).parent / "README.md"
_BEGIN = "<!-- operations: written by python -m emulator.conformance -->"
_END = "<!-- end of operations -->"


def listed() -> list[dict[str, str]]:
    return [
        {
            "name": operation.name,
            "method": operation.method,
            "path": operation.path,
            "state": "answered" if operation.handler else "not implemented",
        }
        for operation in (*data.OPERATIONS, *retired.OPERATIONS, *arm.OPERATIONS)
    ]


def table() -> str:
    return "\n\n".join(
        (
            _section("Data plane, by method of `azure-batch`", data.OPERATIONS),
            _section("Data plane, only of older versions", retired.OPERATIONS),
            _section("Management plane, by group and method of `azure-mgmt-batch` and its neighbours", arm.OPERATIONS),
        )
    )


def written(readme: str) -> str:
    """The README with the present table."""
    before, _, rest = readme.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{after}"


def _section(title: str, operations: Iterable[Operation]) -> str:
    listed = list(operations)
    answered = sum(operation.handler is not None for operation in listed)
    lines = [f"### {title}: {answered} of {len(listed)}", "", "| operation | request | state |", "| --- | --- | --- |"]
    return "\n".join(lines + [_line(operation) for operation in listed])


def _line(operation: Operation) -> str:
    state = "answered" if operation.handler else "501 `NotImplemented`"
    path = operation.path.replace("*}", "}")
    short = path.partition("/providers/")[2] if "/resourceGroups/" in path and "/providers/" in path else path
    if operation.last:
        state += f", up to {operation.last}"
    return f"| `{operation.name.partition('.')[2]}` | {operation.method} `{short}` | {state} |"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
