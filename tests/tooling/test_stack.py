"""The portal of real processes that journeys and bad days stand on can itself be trusted."""

from __future__ import annotations

import os
import urllib.request

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page

from tests.support.stack import Stack


def answers(stack: Stack) -> bool:
    with urllib.request.urlopen(f"{stack.url}/readyz", timeout=10) as answer:
        return bool(answer.status == 200)


def test_demo_people_are_there(stack: Stack) -> None:
    assert {"administrator", "uploader", "reader"} <= set(stack.people)
    with stack.database():
        names = set(get_user_model().objects.values_list("username", flat=True))
    assert {person.username for person in stack.people.values()} <= names
    assert answers(stack)


@pytest.mark.parametrize("name", Stack.everything)
def test_each_part_can_be_killed_and_comes_back(stack: Stack, name: str) -> None:
    before = stack.pid(name)
    stack.kill(name)
    assert not stack.is_running(name)
    with pytest.raises(ProcessLookupError):
        os.killpg(before, 0)
    stack.mend()
    assert stack.is_running(name)
    assert stack.pid(name) != before
    assert answers(stack)


def test_frozen_part_is_thawed_by_the_next_test(stack: Stack) -> None:
    stack.freeze("web")
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{stack.url}/healthz", timeout=0.5)
    stack.mend()
    assert answers(stack)


def test_faults_are_gone_for_the_next_test(stack: Stack) -> None:
    stack.batch.fault(status=503)
    stack.mend()
    assert stack.batch.arm("GET", stack.batch.account_id())["name"] == "local"


def test_chromium_shows_the_portal(stack: Stack, page: Page) -> None:
    page.goto(stack.url)
    assert "/accounts/login/" in page.url


def test_database_is_in_reach_beside_a_running_browser(stack: Stack, page: Page) -> None:
    with stack.database():
        assert get_user_model().objects.filter(is_active=True).count() >= len(stack.people)
