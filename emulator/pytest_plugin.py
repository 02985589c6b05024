"""Fixtures for whoever tests against the service: ``pytest_plugins = ["emulator.pytest_plugin"]``."""

from collections.abc import Iterator

import pytest

from emulator.testing import Azurite, Emulator, start_azurite, start_emulator


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One blob store for the whole run, with the storage accounts devstoreaccount1 and packages2."""
    with start_azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def running_emulator(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One service for the whole run. Tests take ``emulator``, which begins clean."""
    with start_emulator(storage=[azurite], folder=tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    """The service as at a first start: the account ``local`` with no storage account linked."""
    running_emulator.reset()
    return running_emulator
