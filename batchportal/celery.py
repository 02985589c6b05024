import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "batchportal.settings.local")

app = Celery("batchportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add("apps.operations.liveness:Liveness")
