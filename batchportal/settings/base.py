"""What all settings share. Safe by default: no debug, no default secret, deny by default."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from batchportal.settings.env import env, env_bool, env_int, env_list, env_path

BASE_DIR = Path(__file__).resolve().parents[2]
STATE_DIR = env_path("BATCHPORTAL_STATE_DIR", BASE_DIR / ".local")

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", [])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "apps.core",
    "apps.people",
    "apps.accounts",
    "apps.applications",
    "apps.operations",
    "apps.pools",
    "apps.nodes",
    "apps.audit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "batchportal.staticfiles.PortalStaticFilesConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    # First, so that whatever the others answer carries the policy too.
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.NulMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.CompressedPagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.people.middleware.PreferencesMiddleware",
    "apps.core.middleware.PrivatePagesMiddleware",
    "axes.middleware.AxesMiddleware",
    "apps.gateway.middleware.PatienceMiddleware",
]

ROOT_URLCONF = "batchportal.urls"
WSGI_APPLICATION = "batchportal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "apps.core.templatetags.portal"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.core.context_processors.shell",
            ],
        },
    }
]

# --- Database -------------------------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'batchportal.sqlite3'}")
}
DATABASES["default"]["CONN_MAX_AGE"] = env_int("DATABASE_CONN_MAX_AGE", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Writers queue up instead of failing: take the write lock when a transaction begins, wait for it, let readers read.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": env_int("SQLITE_BUSY_TIMEOUT", 20),
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: cache and broker ----------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "batchportal",
        # The cache only saves work: when Redis is away, pages get slower and do not fail.
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 2},
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Messages only carry ids of rows that the reconciler finds again. Without the emulation of acknowledgements nothing
    # is delivered twice, and a worker survives the loss of Redis: with it, giving back what it holds raises when the
    # connection is gone, which ends the worker.
    "ack_emulation": False,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "retry_on_timeout": True,
    "health_check_interval": 10,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1}
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "operations-reconcile": {
        "task": "operations.reconcile",
        "schedule": timedelta(seconds=env_int("OPERATIONS_RECONCILE_SECONDS", 10, minimum=1)),
        "options": {"expires": 30},
    },
    "operations-purge": {
        "task": "operations.purge",
        "schedule": timedelta(hours=6),
        "options": {"expires": 3600},
    },
    "accounts-refresh": {
        "task": "accounts.refresh",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 240},
    },
    "pools-poll": {
        "task": "pools.poll",
        "schedule": timedelta(seconds=env_int("POOLS_POLL_SECONDS", 5, minimum=1)),
        "options": {"expires": 10},
    },
    "pools-purge": {
        "task": "pools.purge",
        "schedule": timedelta(hours=1),
        "options": {"expires": 1800},
    },
    "nodes-users": {
        "task": "nodes.users",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 25},
    },
    "uploads-expire": {
        "task": "applications.uploads_expire",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 300},
    },
}

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "apps.people.adapter.PortalAccountAdapter"
ACCOUNT_FORMS = {
    "login": "apps.people.forms.SignInForm",
    "change_password": "apps.people.forms.NewPasswordForm",
    "reset_password_from_key": "apps.people.forms.PasswordByLinkForm",
}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
# Failures are counted in the database (django-axes, the audit), so that Redis being away neither opens nor shuts the
# door; allauth's own counters live in the cache.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_ADAPTER = "apps.people.adapter.PortalMFAAdapter"
MFA_FORMS = {
    "authenticate": "apps.people.forms.SecondFactorForm",
    "reauthenticate": "apps.people.forms.SecondFactorAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Batchportal"
# Proxies in front that append the caller's address to X-Forwarded-For; 0 means that the header is not looked at.
TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", 0)
# Failed sign-ins lock the pair of account and address, so that nobody can lock a colleague out from elsewhere.
AXES_FAILURE_LIMIT = env_int("SIGN_IN_FAILURE_LIMIT", 8, minimum=3)
# Failures from one address under whatever names, within the same time.
SIGN_IN_FAILURE_LIMIT_PER_ADDRESS = env_int("SIGN_IN_FAILURE_LIMIT_PER_ADDRESS", 100, minimum=10)
AXES_COOLOFF_TIME = timedelta(minutes=env_int("SIGN_IN_COOLOFF_MINUTES", 15, minimum=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_CLIENT_IP_CALLABLE = "apps.people.sign_in.client_address"
AXES_USERNAME_CALLABLE = "apps.people.sign_in.attempted_name"
AXES_LOCKOUT_CALLABLE = "apps.people.sign_in.locked_response"
# The lock ends when the page said it would; trying on does not prolong it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
# People type passwords into the wrong field: what was typed is not kept beside the failure.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login", "csrfmiddlewaretoken"]
AXES_VERBOSE = False

# Mail is only needed for "forgot password"; without EMAIL_URL a portal administrator makes the link.
# For example smtp+tls://user:password@mail.example.com:587
MAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="batchportal@localhost")
EMAIL_TIMEOUT = 20

# --- Sessions, cookies, headers -------------------------------------------------------------------------------------
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.core.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- Languages and time ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

# --- Static files ---------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env_path("STATIC_ROOT", BASE_DIR / "build" / "collected")
STATICFILES_DIRS = [BASE_DIR / "build" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Compressed already, or source maps, which only developers' tools ask for.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["png", "jpg", "jpeg", "webp", "avif", "gz", "br", "woff", "woff2", "map"]

# --- Web server (gunicorn.conf.py reads the same variable) ----------------------------------------------------------
WEB_THREADS = env_int("WEB_THREADS", 16, minimum=2)

# --- API ------------------------------------------------------------------------------------------------------------
API_REQUESTS_PER_MINUTE = env_int("API_REQUESTS_PER_MINUTE", 1200, minimum=10)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.people.authentication.ApiTokenAuthentication",
        "apps.people.authentication.PortalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.core.api_door.DeclaredPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.api_door.ActorThrottle"],
    "DEFAULT_SCHEMA_CLASS": "apps.core.api_schema.PortalSchema",
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.PortalPagination",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "apps.core.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Batchportal API",
    "DESCRIPTION": "Azure Batch accounts, applications, packages, uploads and operations.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["apps.core.api_door.SignedIn"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Azure ----------------------------------------------------------------------------------------------------------
# Where the portal may connect to. A leading dot admits every host below that domain.
GATEWAY_ALLOWED_HOSTS = env_list(
    "GATEWAY_ALLOWED_HOSTS",
    [
        "management.azure.com",
        "management.usgovcloudapi.net",
        "management.chinacloudapi.cn",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        ".batch.azure.com",
        ".batch.usgovcloudapi.net",
        ".batch.chinacloudapi.cn",
        ".blob.core.windows.net",
        ".blob.core.usgovcloudapi.net",
        ".blob.core.chinacloudapi.cn",
        ".blob.storage.azure.net",
    ],
)
# Hosts (host or host:port) that may resolve to private or loopback addresses and be spoken to without TLS.
GATEWAY_PRIVATE_HOSTS = env_list("GATEWAY_PRIVATE_HOSTS", [])
GATEWAY_ARM_ENDPOINT = env.str("GATEWAY_ARM_ENDPOINT", default="https://management.azure.com")
GATEWAY_AUTHORITY = env.str("GATEWAY_AUTHORITY", default="https://login.microsoftonline.com")
GATEWAY_CONNECT_TIMEOUT = env_int("GATEWAY_CONNECT_TIMEOUT", 5, minimum=1)
GATEWAY_READ_TIMEOUT = env_int("GATEWAY_READ_TIMEOUT", 30, minimum=1)
# What one page or API request waits for Azure in total; background work is bound by the two above alone.
GATEWAY_PAGE_SECONDS = env_int("GATEWAY_PAGE_SECONDS", 10, minimum=1)
APPLICATION_QUOTA = env_int("APPLICATION_QUOTA", 20, minimum=1)
APPLICATION_PACKAGE_QUOTA = env_int("APPLICATION_PACKAGE_QUOTA", 40, minimum=1)

# --- Pools and nodes ------------------------------------------------------------------------------------------------
# How old the picture of pools and nodes gets while somebody looks or something is in motion, and otherwise.
FLEET_WATCHED_SECONDS = env_int("FLEET_WATCHED_SECONDS", 10, minimum=1)
FLEET_IDLE_SECONDS = env_int("FLEET_IDLE_SECONDS", 60, minimum=1)
# For how long a poller that was killed in the middle keeps others away; longer than the service takes for any answer.
FLEET_LEASE_SECONDS = env_int("FLEET_LEASE_SECONDS", 120, minimum=5)
# How long the history of nodes and the samples behind charts are kept.
NODE_HISTORY_DAYS = env_int("NODE_HISTORY_DAYS", 14, minimum=1)
# How many nodes are asked at a time, and for how long nodes that cannot take a user yet are waited for: a password is
# kept no longer than that.
NODE_WORKERS = env_int("NODE_WORKERS", 32, minimum=1)
NODE_USER_WAIT_SECONDS = env_int("NODE_USER_WAIT_SECONDS", 1800, minimum=0)

# --- Secrets at rest ------------------------------------------------------------------------------------------------
# First key encrypts, every key decrypts; see docs/operators for rotation.
FIELD_ENCRYPTION_KEYS = env_list("FIELD_ENCRYPTION_KEYS", [])

# --- Uploads --------------------------------------------------------------------------------------------------------
UPLOAD_STAGING_DIR = env_path("UPLOAD_STAGING_DIR", STATE_DIR / "staging")
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_BYTES", 100 * 1024**3, minimum=1)
UPLOAD_EXPIRES_HOURS = env_int("UPLOAD_EXPIRES_HOURS", 48, minimum=1)
UPLOAD_KEEP_FREE_BYTES = env_int("UPLOAD_KEEP_FREE_BYTES", 256 * 1024**2)
UPLOAD_BLOCK_BYTES = env_int("UPLOAD_BLOCK_BYTES", 8 * 1024**2, minimum=1024**2)
UPLOAD_CONCURRENCY = env_int("UPLOAD_CONCURRENCY", 4, minimum=1)
# A zip in a plain form (browsers without script) passes through one temporary file; larger ones need the upload client.
PLAIN_UPLOAD_MAX_BYTES = env_int("PLAIN_UPLOAD_MAX_BYTES", 256 * 1024**2, minimum=1)
FILE_UPLOAD_HANDLERS = ["apps.core.plain_upload.BoundedFileUploadHandler"]
ZIP_MAX_ENTRIES = env_int("ZIP_MAX_ENTRIES", 100_000, minimum=1)
ZIP_MAX_UNCOMPRESSED_BYTES = env_int("ZIP_MAX_UNCOMPRESSED_BYTES", 500 * 1024**3, minimum=1)
ZIP_MAX_RATIO = env_int("ZIP_MAX_RATIO", 200, minimum=1)

# --- Operations -----------------------------------------------------------------------------------------------------
OPERATION_LEASE_SECONDS = env_int("OPERATION_LEASE_SECONDS", 30, minimum=3)
OPERATION_KEEP_DAYS = env_int("OPERATION_KEEP_DAYS", 180, minimum=1)
# How long an operation goes on trying while Azure throttles or does not answer.
OPERATION_RETRY_SECONDS = env_int("OPERATION_RETRY_SECONDS", 1800, minimum=1)
# After how long without a message, although the broker takes some, a worker starts itself anew.
WORKER_STUCK_SECONDS = env_int("WORKER_STUCK_SECONDS", 60, minimum=5)
# How often a worker may break down in the same step of an operation.
OPERATION_MAX_ATTEMPTS = env_int("OPERATION_MAX_ATTEMPTS", 8, minimum=1)

# --- Logs -----------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # The SDKs log every request with its headers at INFO.
        "azure": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Four lines for every sign-in; what matters stands in the audit.
        "axes": {"level": "WARNING"},
    },
}
DEMO = env_bool("BATCHPORTAL_DEMO", False)
