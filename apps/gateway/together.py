"""Several questions at once: each answer is a round trip to another data centre."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from apps.gateway.errors import GatewayError

K = TypeVar("K")
V = TypeVar("V")


def ask_together(questions: Mapping[K, Callable[[], V]]) -> tuple[dict[K, V], dict[K, GatewayError]]:
    """Answers and errors by key. Patience and counting of the caller hold in the threads too.

    The questions must not touch the database: a thread would open a connection of its own.
    """
    answers: dict[K, V] = {}
    errors: dict[K, GatewayError] = {}
    if not questions:
        return answers, errors
    with ThreadPoolExecutor(max_workers=len(questions), thread_name_prefix="gateway") as pool:
        asked = {key: pool.submit(copy_context().run, ask) for key, ask in questions.items()}
        for key, future in asked.items():
            try:
                answers[key] = future.result()
            except GatewayError as error:
                errors[key] = error
    return answers, errors
