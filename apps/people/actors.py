"""Who acts: a person, a token of a person or team, or the portal itself.

Every service and selector takes an `Actor` and asks it; there is no anonymous actor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.core.exceptions import NotPermitted, NotVisible
from apps.people.models import ApiToken, Grant, Team, User
from apps.people.roles import PORTAL_PERMISSIONS, REQUIRED_ROLE, Permission, Role

if TYPE_CHECKING:
    from apps.accounts.models import BatchAccount

LONGEST_NAME = 200


@dataclass(slots=True)
class Actor:
    """The one who acts. Grants and teams are read once per actor, that is once per request or task."""

    user: User | None = None
    token: ApiToken | None = None
    system: bool = False
    _roles: dict[int, Role] | None = field(default=None, repr=False)
    _teams: dict[int, Team] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not (self.user or self.token or self.system):
            raise ValueError("An actor is a person, a token or the system.")

    @property
    def name(self) -> str:
        """What operations, packages and the audit keep; as long as their columns are."""
        if self.token:
            ending = f" · {self.token.name}"
            return f"{self.token.user or self.token.team}"[: LONGEST_NAME - len(ending)] + ending
        return str(self.user)[:LONGEST_NAME] if self.user else "system"

    @property
    def is_portal_administrator(self) -> bool:
        """Tokens never manage the portal, whoever owns them."""
        return self.system or bool(self.user and self.user.is_superuser and not self.token)

    @property
    def teams(self) -> dict[int, Team]:
        """Teams the actor belongs to, by primary key."""
        if self._teams is None:
            self._teams = {team.pk: team for team in self._read_teams()}
        return self._teams

    def _read_teams(self) -> list[Team]:
        if self.token and self.token.team:
            return [self.token.team]
        owner = self.user or (self.token.user if self.token else None)
        return list(owner.teams.all()) if owner else []

    @property
    def roles(self) -> dict[int, Role]:
        """The highest role on each Batch account, by the account's primary key."""
        if self._roles is None:
            self._roles = self._read_roles()
        return self._roles

    def _read_roles(self) -> dict[int, Role]:
        roles: dict[int, Role] = {}
        for account_id, value in self._grants():
            role = self._capped(Role(value))
            if account_id not in roles or role.rank > roles[account_id].rank:
                roles[account_id] = role
        return roles

    def _grants(self) -> list[tuple[int, str]]:
        owner = self.user or (self.token.user if self.token else None)
        grants = Grant.objects.filter(team__in=list(self.teams))
        if owner:
            grants = grants | Grant.objects.filter(user=owner)
        return list(grants.values_list("account_id", "role"))

    def _capped(self, role: Role) -> Role:
        if self.token and role.rank > Role(self.token.role).rank:
            return Role(self.token.role)
        return role

    def role_on(self, account: BatchAccount) -> Role | None:
        if self.is_portal_administrator:
            return Role.ADMINISTRATOR
        return self.roles.get(account.pk)

    def may(self, permission: Permission, account: BatchAccount | None = None) -> bool:
        """Whether the actor has the permission; account permissions need the account."""
        if permission in PORTAL_PERMISSIONS:
            return permission is Permission.SIGNED_IN or self.is_portal_administrator
        if account is None:
            raise ValueError(f"{permission} is asked of a Batch account, and none was given.")
        role = self.role_on(account)
        return role is not None and role.covers(REQUIRED_ROLE[permission])

    def require(self, permission: Permission, account: BatchAccount | None = None) -> None:
        """Return when the actor may.

        Raises `NotVisible` (404) where the actor has no role on the account at all, `NotPermitted` (403) otherwise.
        """
        if account is not None and self.role_on(account) is None:
            raise NotVisible
        if not self.may(permission, account):
            code = "not-permitted-portal" if permission in PORTAL_PERMISSIONS else "not-permitted"
            raise NotPermitted(code, permission=permission.label)


def system_actor() -> Actor:
    """The portal itself, for scheduled work; audit events name it `system`."""
    return Actor(system=True)
