"""Operations over the API: list, read (or wait for the end), cancel, retry."""

from __future__ import annotations

import time
from threading import BoundedSemaphore
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.accounts.models import BatchAccount
from apps.core.api import PortalApi, PortalPagination
from apps.operations import selectors, services
from apps.operations.models import Kind, Operation, OperationEvent, Status
from apps.operations.presentation import words
from apps.people.roles import Permission

LONGEST_WAIT = 60.0
LOOK_EVERY = 0.5
# A request that waits holds a thread. Half of them stay free for others; who finds no place is answered at once.
_places = BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


class OperationOutput(serializers.ModelSerializer[Operation]):
    """Times are ISO 8601 in UTC; `done`, `received` and `total` count `unit`s."""

    account: serializers.SlugRelatedField[BatchAccount] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    message = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    is_active = serializers.BooleanField(read_only=True)

    class Meta:
        model = Operation
        fields = [
            "id",
            "kind",
            "account",
            "subject",
            "actor_name",
            "status",
            "is_active",
            "phase",
            "done",
            "received",
            "total",
            "unit",
            "rate",
            "message_code",
            "message",
            "reference",
            "retry_of",
            "cancel_requested_at",
            "created_at",
            "started_at",
            "ended_at",
            "url",
        ]
        read_only_fields = fields

    def get_message(self, operation: Operation) -> str:
        return words(operation.message_code, operation.message_values) if operation.message_code else ""

    def get_url(self, operation: Operation) -> str:
        where = reverse("api-operation", kwargs={"operation": operation.pk}, request=self.context.get("request"))
        return str(where)


class EventOutput(serializers.ModelSerializer[OperationEvent]):
    message = serializers.SerializerMethodField()

    class Meta:
        model = OperationEvent
        fields = ["at", "level", "code", "message"]
        read_only_fields = fields

    def get_message(self, event: OperationEvent) -> str:
        return words(event.code, event.values)


class OperationDetailOutput(OperationOutput):
    events = EventOutput(many=True, read_only=True)

    class Meta(OperationOutput.Meta):
        fields = [*OperationOutput.Meta.fields, "events"]
        read_only_fields = fields


class OperationListApi(PortalApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="operations_list",
        summary="List operations",
        parameters=[
            OpenApiParameter("status", str, enum=["active", *Status.values]),
            OpenApiParameter("kind", str, enum=Kind.values),
            OpenApiParameter("account", str, description="Slug of a Batch account."),
            OpenApiParameter("mine", bool, description="Only those that the caller started."),
            OpenApiParameter("search", str, description="In subject, person, id and reference."),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses=OperationOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        narrowed = selectors.OperationFilter(
            search=query.get("search", "").strip()[:200],
            status=query.get("status", ""),
            kind=query.get("kind", ""),
            account=query.get("account", ""),
            mine=query.get("mine", "").lower() in {"1", "true"},
        )
        paginator = PortalPagination()
        rows = selectors.operation_list(actor=self.actor, narrowed=narrowed)
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(OperationOutput(page, many=True, context={"request": request}).data)


class OneOperationApi(PortalApi):
    """A route about one operation; who has no role on its account gets 404."""

    abstract: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.operation = selectors.operation_get(actor=self.actor, operation_id=kwargs["operation"])

    def answer(self, operation: Operation, code: int = status.HTTP_200_OK) -> Response:
        return Response(OperationDetailOutput(operation, context={"request": self.request}).data, status=code)


class OperationApi(OneOperationApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="operations_get",
        summary="Read an operation, or wait for its end",
        parameters=[
            OpenApiParameter(
                "wait",
                OpenApiTypes.NUMBER,
                description="Seconds to wait for the end, at most 60; fewer while many wait.",
            )
        ],
        responses=OperationDetailOutput,
    )
    def get(self, request: Request, **_: Any) -> Response:
        return self.answer(operation_wait(self.operation, wait_seconds(request)))


class OperationCancelApi(OneOperationApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="operations_cancel",
        summary="Cancel an operation",
        request=None,
        responses={202: OperationDetailOutput},
    )
    def post(self, _request: Request, **_: Any) -> Response:
        cancelled = services.operation_cancel(actor=self.actor, operation=self.operation)
        return self.answer(cancelled, status.HTTP_202_ACCEPTED)


class OperationRetryApi(OneOperationApi):
    permission = Permission.SIGNED_IN

    @extend_schema(
        operation_id="operations_retry",
        summary="Run an operation again",
        request=None,
        responses={202: OperationDetailOutput},
    )
    def post(self, _request: Request, **_: Any) -> Response:
        again = services.operation_retry(actor=self.actor, operation=self.operation)
        return self.answer(again, status.HTTP_202_ACCEPTED)


def wait_seconds(request: Request) -> float:
    """The query's `wait`, at most `LONGEST_WAIT`. Raises `ValidationError` for what is no number."""
    raw = request.query_params.get("wait", "0")
    try:
        seconds = float(raw)
    except ValueError as error:
        raise ValidationError({"wait": ["A number of seconds."]}) from error
    # NaN compares false with everything: it waits not at all.
    return min(seconds, LONGEST_WAIT) if seconds > 0 else 0.0


def operation_wait(operation: Operation, seconds: float) -> Operation:
    """The operation as it is when it has ended, or after `seconds`; as it is now when too many wait already."""
    if not seconds or not _places.acquire(blocking=False):
        return operation
    try:
        until = time.monotonic() + seconds
        while operation.is_active and time.monotonic() < until:
            time.sleep(min(LOOK_EVERY, max(0.0, until - time.monotonic())))
            operation.refresh_from_db()
    finally:
        _places.release()
    return operation
