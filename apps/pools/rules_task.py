"""Rules for the start task and the user accounts of a pool."""

from __future__ import annotations

from collections.abc import Iterator

from apps.pools.flaws import Document, Flaw

# Characters of command line, resource files and environment together (Microsoft Learn, "Batch best practices").
LONGEST_START_TASK = 32_768
LONGEST_USER_NAME = 20
_SOURCES = ("autoStorageContainerName", "storageContainerUrl", "httpUrl")


def check(document: Document) -> Iterator[Flaw]:
    accounts = list(document.get("userAccounts") or ())
    yield from _accounts(accounts)
    task = document.get("startTask")
    if task is not None:
        yield from start_task(task, {str(account.get("name") or "") for account in accounts})


def start_task(task: Document, account_names: set[str] | None = None) -> Iterator[Flaw]:
    """The rules of a start task. `account_names` are the pool's user accounts; None where they are not known."""
    if not str(task.get("commandLine") or "").strip():
        yield Flaw("startTask.commandLine", "start-task-command-missing")
    retries = task.get("maxTaskRetryCount")
    if retries is not None and (not isinstance(retries, int) or retries < -1):
        yield Flaw("startTask.maxTaskRetryCount", "start-task-retries")
    environment = list(task.get("environmentSettings") or ())
    for index, setting in enumerate(environment):
        if not setting.get("name"):
            yield Flaw(f"startTask.environmentSettings[{index}].name", "start-task-variable-name")
    files = list(task.get("resourceFiles") or ())
    for index, file in enumerate(files):
        yield from _resource_file(f"startTask.resourceFiles[{index}]", file)
    if _length(task, environment, files) > LONGEST_START_TASK:
        yield Flaw("startTask.commandLine", "start-task-long", {"most": LONGEST_START_TASK})
    yield from _identity(task.get("userIdentity") or {}, account_names)


def _length(task: Document, environment: list[Document], files: list[Document]) -> int:
    texts = [str(task.get("commandLine") or "")]
    texts += [str(value or "") for item in (*environment, *files) for value in item.values()]
    return sum(map(len, texts))


def _resource_file(at: str, file: Document) -> Iterator[Flaw]:
    given = [name for name in _SOURCES if file.get(name)]
    if len(given) != 1:
        yield Flaw(f"{at}.httpUrl", "resource-file-source")
    elif given == ["httpUrl"] and not file.get("filePath"):
        yield Flaw(f"{at}.filePath", "resource-file-path")
    if file.get("httpUrl") and file.get("blobPrefix"):
        yield Flaw(f"{at}.blobPrefix", "resource-file-prefix")


def _identity(identity: Document, account_names: set[str] | None) -> Iterator[Flaw]:
    name = identity.get("username")
    if name and identity.get("autoUser"):
        yield Flaw("startTask.userIdentity.username", "start-task-identity-both")
    elif name and account_names is not None and name not in account_names:
        yield Flaw("startTask.userIdentity.username", "start-task-identity-unknown", {"name": name})


def _accounts(accounts: list[Document]) -> Iterator[Flaw]:
    names: set[str] = set()
    for index, account in enumerate(accounts):
        at = f"userAccounts[{index}]"
        name = str(account.get("name") or "")
        if not name or len(name) > LONGEST_USER_NAME:
            yield Flaw(f"{at}.name", "pool-user-name", {"most": LONGEST_USER_NAME})
        elif name.lower() in names:
            yield Flaw(f"{at}.name", "pool-user-twice", {"name": name})
        names.add(name.lower())
        if not account.get("password"):
            yield Flaw(f"{at}.password", "pool-user-password")
        linux = account.get("linuxUserConfiguration") or {}
        if (linux.get("uid") is None) != (linux.get("gid") is None):
            yield Flaw(f"{at}.linuxUserConfiguration.gid", "pool-user-ids")
