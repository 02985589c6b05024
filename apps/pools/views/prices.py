from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.people.roles import Permission
from apps.pools.presentation import sizes_in_use
from apps.pools.services.changing import price_set
from apps.pools.views.shared import FleetView


class PriceForm(forms.Form):
    use_required_attribute = False
    vm_size = forms.RegexField(
        label=gettext_lazy("VM size"),
        regex=r"^[A-Za-z0-9_-]{1,64}$",
        error_messages={"invalid": gettext_lazy("A size looks like Standard_D2s_v5.")},
    )
    dedicated = forms.DecimalField(
        label=gettext_lazy("Price of a dedicated node"), required=False, min_value=0, max_digits=10, decimal_places=4
    )
    spot = forms.DecimalField(
        label=gettext_lazy("Price of a Spot node"), required=False, min_value=0, max_digits=10, decimal_places=4
    )
    currency = forms.RegexField(
        label=gettext_lazy("Currency"),
        regex=r"^[A-Za-z]{3}$",
        initial="USD",
        error_messages={"invalid": gettext_lazy("Three letters, such as EUR.")},
    )


class PricesView(FleetView):
    """What an hour of each size costs, for estimates."""

    permission = Permission.MANAGE_ACCOUNT
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        chosen = next((price for size, price in sizes_in_use(self.account) if size == request.GET.get("size")), None)
        initial: dict[str, Any] = {"vm_size": request.GET.get("size", "")}
        if chosen:
            initial |= {"dedicated": chosen.dedicated, "spot": chosen.spot, "currency": chosen.currency}
        return self._page(PriceForm(initial=initial))

    def post(self, request: Any, **_more: Any) -> HttpResponse:
        form = PriceForm(request.POST)
        if not form.is_valid():
            return self._page(form, 422)
        price_set(actor=self.actor, account=self.account, **form.cleaned_data)
        return self.done(_("The prices are kept."), self.request.path)

    def _page(self, form: PriceForm, status: int = 200) -> HttpResponse:
        return self.page("pools/prices.html", {"form": form, "sizes": sizes_in_use(self.account)}, status)
