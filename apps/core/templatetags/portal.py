"""The tags and filters of the portal's templates. docs/developers/components.md shows each in use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.http import QueryDict
from django.template.context import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.formats import duration_text, size_exact, size_text
from apps.core.menu import menu_sections

register = template.Library()

TONES = ("neutral", "info", "success", "warning", "danger")
# Every tone has a shape of its own, so that nothing is said by colour alone.
TONE_ICONS = {
    "neutral": {"icon": "circle-dashed"},
    "info": {"icon": "info-circle"},
    "success": {"icon": "circle-check"},
    "warning": {"icon": "alert-triangle"},
    "danger": {"icon": "alert-octagon"},
}
# Levels of django.contrib.messages.
MESSAGE_TONES = {"debug": "neutral", "info": "info", "success": "success", "warning": "warning", "error": "danger"}


def render(name: str, values: Mapping[str, Any]) -> SafeString:
    """A component with these variables and none of the page's."""
    return cast(SafeString, get_template(f"components/{name}.html").render(dict(values)))


# --- Words, numbers, times ---------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler icon from the sprite; without a label it is decoration and silent."""
    source = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon icon-{}" role="img" aria-label="{}"><use href="{}"></use></svg>', name, label, source
        )
    return format_html('<svg class="icon icon-{}" aria-hidden="true"><use href="{}"></use></svg>', name, source)


@register.filter
def tone_icon(tone: str) -> str:
    """The icon that stands for a tone."""
    return TONE_ICONS.get(tone, TONE_ICONS["neutral"])["icon"]


@register.filter
def message_tone(level: str) -> str:
    """The tone of a level of django.contrib.messages."""
    return MESSAGE_TONES.get(level, "info")


@register.filter
def size(count: int | None) -> SafeString | str:
    """Bytes as 1.20 GiB, with the exact number in the title."""
    if count is None:
        return "–"
    return format_html(
        '<data value="{}" title="{}">{}</data>', str(int(count)), size_exact(int(count)), size_text(int(count))
    )


@register.filter
def size_plain(count: int | None) -> str:
    """Bytes as 1.20 GiB, for attributes and sentences."""
    return "–" if count is None else size_text(int(count))


@register.filter
def duration(span: timedelta | float | None) -> str:
    """A timedelta or a number of seconds as 3 min 5 s."""
    return "–" if span is None else duration_text(span)


@register.filter
def percent(done: float, total: float) -> int:
    """How many whole percent of the total are done, from 0 to 100; 100 only when all is."""
    if not total or total <= 0:
        return 0
    share = max(0.0, min(1.0, done / total))
    return 100 if share >= 1 else min(99, round(share * 100))


def _time_element(moment: datetime | None, *, relative: bool) -> SafeString | str:
    if moment is None:
        return "–"
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    text = date_format(local, "DATETIME_FORMAT")
    exact = f"{text} {local.tzname() or ''}".strip()
    kind = "relative" if relative else "absolute"
    markup = '<time datetime="{}" title="{}" data-{}>{}</time>'
    return format_html(markup, local.isoformat(timespec="seconds"), exact, kind, text)


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A moment that the page shows as "3 minutes ago" and keeps current; absolute without script and in the title."""
    return _time_element(moment, relative=True)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A moment as date and time in the person's time zone."""
    return _time_element(value, relative=False)


@register.filter
def lookup(mapping: Mapping[str, Any], key: str) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key, "")


@register.filter
def words(text: str) -> list[str]:
    """The words of a text, for loops over a few fixed values."""
    return text.split()


@register.filter
def page_numbers(page: Any) -> list[int | None]:
    """Numbers around the current page with the first and the last one; None stands for a gap."""
    shown = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return [number if isinstance(number, int) else None for number in shown]


# --- Frame -------------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def resource_menu(context: Context) -> list[Any]:
    """Sections of the left menu for this page: of the account the page is about, or of the portal."""
    request, account = context.get("request"), context.get("account")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return []
    slug = getattr(account, "slug", "") or ""
    administrator = bool(getattr(user, "is_superuser", False))
    return list(menu_sections(request.path, slug=slug, role=context.get("role"), portal_administrator=administrator))


@register.simple_tag
def crumb(label: str, href: str = "") -> SafeString:
    """A step of the breadcrumb; the last one, the page itself, has no address."""
    return render("crumb", {"label": label, "href": href})


@register.simple_block_tag
def blade_header(content: str, title: str, subtitle: str = "", icon: str = "") -> SafeString:
    """Title of a blade; what stands between the tags (badges) goes beside the title."""
    return render("blade_header", {"title": title, "subtitle": subtitle, "icon": icon, "content": content})


@register.simple_block_tag
def command_bar(content: str, label: str = "") -> SafeString:
    """The row of commands under a blade's title; what does not fit moves into a menu."""
    return render("command_bar", {"content": content, "label": label})


@register.simple_tag(takes_context=True)
def command(context: Context, label: str, icon: str = "", **options: Any) -> SafeString:
    """A command: `href` goes there, `dialog` opens that page in a dialog, `post` sends a form. See command.html."""
    if options.get("refresh"):
        # This very page: its filters, and the file that it is about, stay.
        options["href"] = f"?{context['request'].GET.urlencode()}"
    values = {"label": label, "icon": icon, "csrf_token": context.get("csrf_token"), **options}
    return render("command", values)


@register.simple_tag
def command_line() -> SafeString:
    """A line between groups of commands."""
    return format_html('<span class="{}" aria-hidden="true"></span>', "bp-command-line")


# --- Containers --------------------------------------------------------------------------------------------------


@register.simple_block_tag
def panel(content: str, title: str = "", **options: Any) -> SafeString:
    """A surface with one subject. Options: icon, flush, id, level, note, action_label, action_href, action_dialog."""
    return render("panel", {"title": title, "content": content, **options})


@register.simple_block_tag
def callout(content: str, tone: str, title: str = "", **options: Any) -> SafeString:
    """A message that stays. Options: code, request_id, reference, action_label, action_href, live."""
    return render("callout", {"tone": tone, "title": title, "content": content if content.strip() else "", **options})


@register.simple_block_tag
def sheet_row(content: str, label: str) -> SafeString:
    """A line of a key/value sheet (`<dl class="bp-sheet">`); an empty value shows as a dash."""
    return format_html("<div><dt>{}</dt><dd>{}</dd></div>", label, content if content.strip() else "–")


@register.simple_block_tag(takes_context=True)
def data_list(context: Context, content: str, id: str, page: Any, **options: Any) -> SafeString:  # noqa: A002
    """A list with search, filters, count, age, paging and empty states around a table. See data_list.html."""
    query = context["request"].GET
    # What belongs to the toolbar's own fields is not repeated as a hidden field, and a new search starts at page one.
    own = {"q", "page", *(choice["name"] for choice in options.get("filters") or [])}
    seldom = [choice for choice in options.get("filters") or [] if choice.get("seldom")]
    values = {
        "id": id,
        "page": page,
        "content": content,
        "query": query,
        "request": context["request"],
        "kept": [(name, value) for name, values in query.lists() if name not in own for value in values],
        "filtered": any(query.get(name) for name in own - {"page"}),
        **options,
        "seldom": seldom,
        "seldom_used": any(query.get(choice["name"]) for choice in seldom),
        "sorts": [_sort(query, key, label, options.get("default", "")) for key, label in options.get("sorts") or []],
    }
    return render("data_list", values)


@register.simple_tag(takes_context=True)
def sort_header(context: Context, key: str, label: str, *more: str, end: bool = False, default: str = "") -> SafeString:
    """A column head that sorts by `key` through `?sort=`; `default` is the order without it ("name", "-created").

    `more` are further keys, each with its label, for a column whose cells show several things.
    """
    query = context["request"].GET
    pairs = [(key, label), *zip(more[::2], more[1::2], strict=True)]
    sorts = [_sort(query, *pair, default) for pair in pairs]
    direction = next((one["direction"] for one in sorts if one["direction"]), "")
    return render("sort_header", {"sorts": sorts, "end": end, "direction": direction})


def _sort(query: QueryDict, key: str, label: str, default: str) -> dict[str, str]:
    """A link that sorts by a key, the other way round where that is the order now."""
    order = query.get("sort", "") or default
    direction = {key: "ascending", f"-{key}": "descending"}.get(order, "")
    wanted = query.copy()
    wanted["sort"] = f"-{key}" if direction == "ascending" else key
    wanted.pop("page", None)
    return {"label": label, "direction": direction, "href": f"?{wanted.urlencode()}"}


# --- Leaves ------------------------------------------------------------------------------------------------------


@register.simple_tag
def badge(text: str, tone: str = "neutral", icon: str = "", plain: bool = False) -> SafeString:
    """A status: tone, icon and text together."""
    return render("badge", {"text": text, "tone": tone, "icon": icon or tone_icon(tone), "plain": plain})


@register.simple_tag
def quota(label: str, used: int, limit: int | None, note: str = "") -> SafeString:
    """A quota as used/limit bar; from 80 % on it warns, at the limit it alarms. Without a limit it is only a number."""
    share = used / limit if limit else 0
    tone = "danger" if limit is not None and used >= limit else "warning" if share >= 0.8 else "info"
    return render("quota", {"label": label, "used": used, "limit": limit, "note": note, "tone": tone})


@register.simple_tag
def copy_button(text: str, label: str = "") -> SafeString:
    """A button that copies `text`."""
    return render("copy_button", {"text": text, "label": label})


@register.simple_tag
def copy_line(text: str, label: str = "") -> SafeString:
    """`text` as code with its copy button."""
    return render("copy_line", {"text": text, "label": label})


def _widget_class(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        return ""
    return "form-select" if isinstance(widget, Select) else "form-control"


def _layout(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, CheckboxInput):
        return "check"
    return "file" if isinstance(widget, FileInput) else "control"


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """A form field with label, help and its errors. Options: narrow, autofocus, placeholder, drop (file field)."""
    identity = bound.id_for_label or bound.auto_id
    described = [f"{bound.auto_id}_helptext"] if bound.help_text else []
    # The place for errors is always there: a script that learns of an error fills it.
    described.append(f"{bound.auto_id}_error")
    attributes: dict[str, Any] = {
        "class": f"{bound.field.widget.attrs.get('class', '')} {_widget_class(bound)}".strip()
    }
    attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    for name in ("autofocus", "placeholder", "autocomplete"):
        if options.get(name):
            attributes[name] = options[name]
    layout = _layout(bound)
    # A fieldset carries the description of a group of choices, not each choice.
    if layout == "choices":
        attributes.pop("aria-describedby")
    widget = bound.as_widget(attrs=attributes)
    values = {"bound": bound, "id": identity, "widget": widget, "layout": layout, "described": " ".join(described)}
    return render("field", {**values, **options})


@register.simple_tag
def form_errors(form: Any) -> SafeString:
    """The errors that belong to no field, and those of hidden fields."""
    return render("form_errors", {"form": form})
