"""What all tests share: real services, whole portals, Chromium, and the rule that nothing is skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from pytest_django import DjangoDbBlocker

from scripts.install import node_folder
from scripts.parts import Site
from scripts.system import CHROMIUM
from tests.support.processes import Processes, free_ports
from tests.support.stack import Stack

# The fixtures `azurite` and `emulator` come with the local Batch service.
pytest_plugins = ["pytester", "tests.support.no_skips", "emulator.pytest_plugin"]

SUITES = ("plain", "database", "journeys")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--suite", choices=SUITES, help="run only the tests of one suite: " + ", ".join(SUITES))


def pytest_configure() -> None:
    # Whatever Node.js the machine has: everything here runs on the one that we install.
    os.environ["PATH"] = f"{node_folder() / 'bin'}{os.pathsep}{os.environ['PATH']}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the chosen suite. What a test uses decides: nothing has to be listed by hand.

    Journeys have a process of their own also because a running Playwright keeps an event loop that asyncio tests
    cannot share.
    """
    suite = config.getoption("--suite")
    if suite in {None, "journeys"} and any(is_journey(item) for item in items):
        # That loop also makes Django believe that it is called from a coroutine.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    if suite is None:
        items.sort(key=is_journey)
        return
    chosen = {"plain": lambda item: not is_journey(item), "database": uses_database, "journeys": is_journey}[suite]
    config.hook.pytest_deselected(items=[item for item in items if not chosen(item)])
    items[:] = [item for item in items if chosen(item)]


def is_journey(item: pytest.Item) -> bool:
    return bool({"stack", "make_stack", "browser"} & set(getattr(item, "fixturenames", ())))


def uses_database(item: pytest.Item) -> bool:
    used = {"db", "transactional_db", "django_db_setup"} & set(getattr(item, "fixturenames", ()))
    return bool(used or item.get_closest_marker("django_db")) and not is_journey(item)


# --- Services -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Redis of this test process, which the cache and Celery use."""
    from batchportal.celery import app  # noqa: PLC0415  # only once Django's settings are loaded

    processes = Processes(Site(state=tmp_path_factory.mktemp("services"), ports=free_ports()))
    processes.start("redis")
    url = processes.site.broker_url
    settings.REDIS_URL = settings.CACHES["default"]["LOCATION"] = settings.CELERY_BROKER_URL = url
    # Django's own setup has used the cache by now, at the address from before.
    with suppress(AttributeError):
        del caches["default"]
    app.conf.update(broker_url=url)
    yield url
    processes.stop()


@pytest.fixture(autouse=True)
def _empty_redis(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()


# --- Whole portals --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"), {}, django_db_blocker)
    try:
        stack.open()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def stack(shared_stack: Stack, request: pytest.FixtureRequest) -> Stack:
    """A running portal with all its parts, shared by the tests of this process; what they break is mended between."""
    shared_stack.mend()
    remember_logs(request, shared_stack)
    return shared_stack


@pytest.fixture
def make_stack(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Stack]]:
    """Make a portal of the test's own, with settings as variables: `make_stack({"UPLOAD_MAX_BYTES": "1000"})`."""
    made: list[Stack] = []

    def make(variables: Mapping[str, str] | None = None) -> Stack:
        stack = Stack(tmp_path / f"stack{len(made)}", variables or {}, django_db_blocker)
        made.append(stack)
        remember_logs(request, stack)
        stack.open()
        return stack

    yield make
    for stack in made:
        stack.stop()


STACKS = pytest.StashKey[list[tuple[Stack, dict[str, int]]]]()


def remember_logs(request: pytest.FixtureRequest, stack: Stack) -> None:
    """Have what the parts write from now on printed if this test fails."""
    request.node.stash.setdefault(STACKS, []).append((stack, stack.log_sizes()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for stack, sizes in item.stash.get(STACKS, []):
            for name in stack.everything:
                if text := stack.tail(name, sizes.get(name, 0)):
                    report.sections.append((f"{name} wrote", text))
    return report


# --- Chromium -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, which speaks to this machine alone."""
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Tests name whole addresses; pytest-playwright's own fixture of this name is written in a way pytest gives up."""
