"""Celery's door to uploads; the upload itself runs as an operation."""

from __future__ import annotations

from celery import shared_task

from apps.applications.uploads import services


@shared_task(name="applications.uploads_expire")
def uploads_expire_task() -> None:
    services.uploads_expire()
