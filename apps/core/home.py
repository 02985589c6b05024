from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from apps.accounts.selectors import account_list
from apps.core.views import PortalView
from apps.people.roles import Permission


class HomeView(PortalView):
    """To the only account somebody has, or to the list of accounts."""

    permission = Permission.SIGNED_IN

    def get(self, request: Any) -> HttpResponse:
        accounts = list(account_list(actor=self.actor)[:2])
        if len(accounts) == 1:
            return redirect("accounts:overview", account=accounts[0].slug)
        return redirect("accounts:list")
