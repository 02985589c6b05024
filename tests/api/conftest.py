from __future__ import annotations

import pytest

from tests.core.conftest import service, whole_world, world
from tests.people.factories import Cast, make_cast

__all__ = ["service", "whole_world", "world"]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()
