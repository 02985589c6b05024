"""2018-08-01.7.0: a resource file is a blob; other sources came with 2018-12-01.8.0."""

from typing import Any

from emulator.compat.change import Change, rename


def _request(body: dict[str, Any]) -> None:
    rename(body, "blobSource", "httpUrl")


def _answer(body: dict[str, Any]) -> None:
    rename(body, "httpUrl", "blobSource")


CHANGE = Change(last="2018-08-01.7.0", request=_request, answer=_answer)
