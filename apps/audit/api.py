"""The audit of a Batch account over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit.actions import action_label
from apps.audit.models import AuditEvent, Outcome
from apps.audit.selectors import EventFilter, event_list
from apps.core.api import PortalApi
from apps.people.roles import Permission


class AuditQuery(serializers.Serializer[Any]):
    """What to look for; times are ISO 8601."""

    search = serializers.CharField(required=False, max_length=200, help_text="In actor and resource.")
    action = serializers.CharField(required=False, max_length=64, help_text="Code of what was done.")
    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)
    since = serializers.DateTimeField(required=False, help_text="The first moment.")
    until = serializers.DateTimeField(required=False, help_text="The first moment after.")


class AuditOutput(serializers.ModelSerializer[AuditEvent]):
    text = serializers.SerializerMethodField(help_text="`action` in words.")
    account = serializers.CharField(source="account_name", read_only=True)
    details = serializers.SerializerMethodField()
    operation = serializers.UUIDField(source="operation_id", read_only=True, allow_null=True)

    class Meta:
        model = AuditEvent
        fields = ["id", "at", "actor_name", "action", "text", "resource", "account", "outcome", "details", "operation"]
        read_only_fields = fields

    def get_text(self, event: AuditEvent) -> str:
        return action_label(event.action)

    @extend_schema_field(serializers.DictField())
    def get_details(self, event: AuditEvent) -> dict[str, Any]:
        return dict(event.values)


class AuditListApi(PortalApi):
    """Newest first."""

    permission = Permission.MANAGE_ACCOUNT

    @extend_schema(
        operation_id="audit_events_list",
        summary="List audit events",
        parameters=[AuditQuery],
        responses=AuditOutput(many=True),
    )
    def get(self, request: Request, account: str) -> Response:
        query = AuditQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        events = event_list(actor=self.actor, account=self.account, wanted=EventFilter(**query.validated_data))
        return self.paged(events, AuditOutput)
