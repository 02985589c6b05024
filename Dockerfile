# The portal (last stage) and, as `--target local`, the same with the local Batch service.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt ./
RUN /venv/bin/pip install -r requirements.txt

FROM wheels AS static
COPY --from=packages /app/node_modules node_modules
COPY manage.py package-lock.json ./
COPY scripts/assets.py scripts/assets.py
COPY static static
COPY templates templates
COPY batchportal batchportal
COPY apps apps
RUN /venv/bin/python scripts/assets.py \
  && DJANGO_SETTINGS_MODULE=batchportal.settings.local STATIC_ROOT=/app/collected \
     /venv/bin/python manage.py collectstatic --noinput -v0

FROM python:3.11-slim-bookworm AS base
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=batchportal.settings.production \
    BATCHPORTAL_STATE_DIR=/var/lib/batchportal \
    STATIC_ROOT=/app/build/collected \
    WEB_BIND=0.0.0.0:8000
# The folder for staged uploads exists before a volume is laid over it, so that the volume gets its owner.
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin portal \
  && install -d -o portal -g portal /var/lib/batchportal /var/lib/batchportal/staging
WORKDIR /app

FROM wheels AS local-wheels
COPY requirements-local.txt ./
RUN /venv/bin/pip install -r requirements-local.txt

FROM base AS local
COPY --from=local-wheels /venv /venv
COPY emulator emulator
RUN install -d -o portal -g portal /var/lib/emulator
USER 10001
CMD ["python", "-m", "emulator", "--host", "0.0.0.0", "--data", "/var/lib/emulator"]

FROM base AS portal
COPY --from=wheels /venv /venv
COPY --from=static /app/collected build/collected
COPY manage.py gunicorn.conf.py ./
COPY scripts/__init__.py scripts/health.py scripts/
COPY templates templates
COPY batchportal batchportal
COPY apps apps
RUN python -m compileall -q apps batchportal scripts
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-m", "scripts.health", "web"]
CMD ["gunicorn", "batchportal.wsgi"]
