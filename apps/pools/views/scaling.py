from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.exceptions import PortalError
from apps.core.http import wants_fragment
from apps.people.roles import Permission
from apps.pools.autoscale_examples import EXAMPLES
from apps.pools.selectors import AutoScaleRun, Pool, pool_live
from apps.pools.services.creating import PoolRefused
from apps.pools.services.scaling import (
    auto_scale_disable,
    auto_scale_enable,
    auto_scale_evaluate,
    pool_resize,
    resize_stop,
)
from apps.pools.views.shared import PoolView

_DEALLOCATION = (
    ("requeue", gettext_lazy("Stop them and put them back to run elsewhere (requeue)")),
    ("terminate", gettext_lazy("End them; they do not run again (terminate)")),
    ("taskcompletion", gettext_lazy("Wait until they have ended (task completion)")),
)


class TargetsForm(forms.Form):
    use_required_attribute = False
    dedicated = forms.IntegerField(label=gettext_lazy("Dedicated nodes"), min_value=0)
    spot = forms.IntegerField(label=gettext_lazy("Spot nodes"), min_value=0)
    deallocation = forms.ChoiceField(
        label=gettext_lazy("Tasks on nodes that go"), choices=_DEALLOCATION, initial="requeue"
    )
    timeout = forms.IntegerField(
        label=gettext_lazy("Resize timeout in minutes"),
        required=False,
        min_value=5,
        max_value=100_000,
        help_text=gettext_lazy("At least 5; 15 when empty. Take 30 above 1,000 nodes."),
    )


class FormulaForm(forms.Form):
    use_required_attribute = False
    formula = forms.CharField(
        label=gettext_lazy("Formula"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "bp-mono", "spellcheck": "false"}),
    )
    interval = forms.IntegerField(
        label=gettext_lazy("Evaluated every … minutes"),
        required=False,
        min_value=5,
        max_value=168 * 60,
        help_text=gettext_lazy("From 5 minutes to 168 hours; 15 minutes when empty."),
    )


_FIELDS = {
    "targetDedicatedNodes": "dedicated",
    "targetLowPriorityNodes": "spot",
    "resizeTimeout": "timeout",
    "autoScaleFormula": "formula",
    "autoScaleEvaluationInterval": "interval",
}


class ScaleBase(PoolView):
    """The page Scale; the forms in it come from the service after the page."""

    abstract = True
    tab = "scale"
    template = "pools/scale.html"

    def whole(self, **context: Any) -> HttpResponse:
        """The page with its forms, for an answer to a form that has something to say."""
        status = context.pop("status", 200)
        live = self.live(**context)
        return self.pool_page(live | {"answered": True}, status=status)

    def live(
        self,
        *,
        targets: TargetsForm | None = None,
        formula: FormulaForm | None = None,
        run: AutoScaleRun | None = None,
        error: PortalError | None = None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = {"run": run, "error": error, "examples": EXAMPLES}
        try:
            pool = pool_live(actor=self.actor, account=self.account, pool_id=self.kwargs["pool"])
        except PortalError as refused:
            return found | {"error": error or refused}
        return found | {
            "live": pool,
            "targets": targets or TargetsForm(initial=_targets(pool)),
            "formula": formula or FormulaForm(initial=_formula(pool)),
            "may_operate": self.actor.may(Permission.OPERATE, self.account),
        }

    def flawed(self, form: forms.Form, error: PortalError) -> int:
        """Put an error at its field; the status of the answer."""
        if isinstance(error, PoolRefused):
            for flaw in error.flaws:
                name = _FIELDS.get(flaw.path)
                form.add_error(name if name in form.fields else None, flaw.message)
        else:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        return error.status


def _targets(pool: Pool) -> dict[str, Any]:
    return {"dedicated": pool.target_dedicated or 0, "spot": pool.target_spot or 0, "deallocation": "requeue"}


def _formula(pool: Pool) -> dict[str, Any]:
    span = pool.evaluation_interval
    return {"formula": pool.formula, "interval": int(span.total_seconds() // 60) if span else None}


class PoolScaleView(ScaleBase):
    permission = {"get": Permission.VIEW_ACCOUNT, "post": Permission.OPERATE}
    http_method_names = ["get", "head", "post"]

    def get(self, request: Any, **_more: Any) -> HttpResponse:
        if wants_fragment(request) and "live" in request.GET:
            pool = self.snapshot()
            return self.page("pools/_scale.html", {"pool": pool, **self.live()})
        return self.pool_page()

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        form = TargetsForm(request.POST)
        if not form.is_valid():
            return self.whole(targets=form, status=422)
        data = form.cleaned_data
        try:
            operation = pool_resize(
                actor=self.actor,
                account=self.account,
                pool_id=pool,
                dedicated=data["dedicated"],
                spot=data["spot"],
                timeout=timedelta(minutes=data["timeout"]) if data["timeout"] else None,
                deallocation=data["deallocation"],
            )
        except PortalError as error:
            return self.whole(targets=form, status=self.flawed(form, error))
        return self.to_operation(operation)


class PoolFormulaView(ScaleBase):
    """Evaluate a formula, or follow it from now on."""

    permission = Permission.OPERATE
    http_method_names = ["post"]

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        form = FormulaForm(request.POST)
        if not form.is_valid():
            return self.whole(formula=form, status=422)
        try:
            if "evaluate" in request.POST:
                run = auto_scale_evaluate(
                    actor=self.actor, account=self.account, pool_id=pool, formula=form.cleaned_data["formula"]
                )
                return self.whole(formula=form, run=run)
            minutes = form.cleaned_data["interval"]
            auto_scale_enable(
                actor=self.actor,
                account=self.account,
                pool_id=pool,
                formula=form.cleaned_data["formula"],
                interval=timedelta(minutes=minutes) if minutes else None,
            )
        except PortalError as error:
            return self.whole(formula=form, status=self.flawed(form, error))
        return self.done(_("%(pool)s scales by the formula.") % {"pool": pool}, self.address("scale", pool=pool))


class PoolFormulaOffView(PoolView):
    permission = Permission.OPERATE
    http_method_names = ["post"]

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        auto_scale_disable(actor=self.actor, account=self.account, pool_id=pool)
        text = _("Automatic scaling of %(pool)s is off; it keeps the nodes it has.")
        return self.done(text % {"pool": pool}, self.address("scale", pool=pool))


class PoolStopResizeView(PoolView):
    permission = Permission.OPERATE
    http_method_names = ["post"]

    def post(self, request: Any, pool: str, **_more: Any) -> HttpResponse:
        resize_stop(actor=self.actor, account=self.account, pool_id=pool)
        return self.done(
            _("The resize of %(pool)s is being stopped.") % {"pool": pool}, self.address("detail", pool=pool)
        )
