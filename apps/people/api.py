"""Who one is over the API, and which teams one may give an application to."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import PortalApi
from apps.people.roles import Permission, Role
from apps.people.selectors import own_grants


class RoleOnAccount(serializers.Serializer[Any]):
    account = serializers.SlugField(help_text="Slug of the Batch account.")
    role = serializers.ChoiceField(choices=Role.choices)


class TeamOutput(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = serializers.CharField()


class TokenOutput(serializers.Serializer[Any]):
    """The token of this request."""

    name = serializers.CharField()
    prefix = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices, help_text="The most this token may do.")
    expires_at = serializers.DateTimeField()


class MeOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    portal_administrator = serializers.BooleanField()
    token = TokenOutput(allow_null=True)
    teams = TeamOutput(many=True)
    roles = RoleOnAccount(many=True)


class MeApi(PortalApi):
    """The caller: who it is, with which roles, and until when the token lasts. A good first call of a pipeline."""

    permission = Permission.SIGNED_IN

    @extend_schema(operation_id="me", summary="Read who the caller is", responses=MeOutput)
    def get(self, request: Request) -> Response:
        roles = own_grants(actor=self.actor)
        me = {
            "name": self.actor.name,
            "portal_administrator": self.actor.is_portal_administrator,
            "token": self.actor.token,
            "teams": sorted(self.actor.teams.values(), key=lambda team: team.slug),
            "roles": [{"account": account.slug, "role": role} for account, role in roles],
        }
        return Response(MeOutput(me).data)
