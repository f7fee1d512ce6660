"""Django settings: every value comes from the environment or `.env`, checked here."""

import warnings
from datetime import timedelta
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF

from attendance_site import caches, core_dumps, logs
from attendance_site import environment as conf
from attendance_site.environment import BASE_DIR

# Read by everything that starts: the site, the worker and every command.
core_dumps.forbid()
# Lets `ModelAdmin[Student]` and friends be written at run time too.
django_stubs_ext.monkeypatch()

conf.read_env_file(BASE_DIR / ".env")

DEBUG = conf.flag("DEBUG", default=False)
SECRET_KEY = conf.secret(
    "SECRET_KEY",
    debug=DEBUG,
    debug_value="debug-only-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
)
# Seals the audit log. A new SECRET_KEY goes with the old one named here.
AUDIT_KEYS = conf.secrets_list("AUDIT_KEY", default=SECRET_KEY)

# --- The address users type: hosts, cookies and the redirect follow from it ---------
PUBLIC_URL = conf.public_url("PUBLIC_URL")
_public = urlsplit(PUBLIC_URL)
HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = [str(_public.hostname), "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = HTTPS
# Both are asked of each replica by itself, past the proxy that speaks HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics/?$"]
# Who may say whom a request comes from and whether it came over HTTPS. On the machine
# itself only a proxy of its own speaks plain HTTP to an https address.
TRUSTED_PROXIES = conf.networks(
    "TRUSTED_PROXIES", default="127.0.0.1,::1" if HTTPS else "none"
)
# Believed because ProxyMiddleware drops the header of everybody else.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)
_hsts_days = conf.whole_number("HSTS_DAYS", default=365, low=0, high=3650)
SECURE_HSTS_SECONDS = _hsts_days * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
if HTTPS:
    # Browsers give this prefix to no cookie of another host. It also keeps a secure
    # cookie from locking out the same host's later visits over plain HTTP.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- The five floors, top first; imports run down only ------------------------------
INSTALLED_APPS = [
    "attendance.apps.AttendanceConfig",
    "faces.apps.FacesConfig",
    "classroom.apps.ClassroomConfig",
    "accounts.apps.AccountsConfig",
    "attendance_site.admin_site.RollbookAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "simple_history",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "attendance_site.proxies.ProxyMiddleware",
    "attendance_site.request_log.RequestLogMiddleware",
    "attendance_site.middleware.HealthHostMiddleware",
    # Outside of all that answers by itself: their headers are on files, redirects and
    # refusals too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "attendance_site.middleware.PermissionsPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "attendance_site.middleware.UploadSizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "attendance_site.middleware.PartialPageMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "attendance_site.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "attendance_site.metrics.CountingMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "attendance_site.urls"
WSGI_APPLICATION = "attendance_site.wsgi.application"
APPEND_SLASH = False  # every address answers with and without its last slash
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "attendance_site.middleware.time_zone_of_pages",
            ],
        },
    },
]

# --- Where things are kept ----------------------------------------------------------
DATABASES = {
    "default": conf.database(
        "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = conf.redis_url("REDIS_URL")
CACHES = caches.configuration(REDIS_URL)
SESSION_CACHE_ALIAS = "sessions"
SESSION_ENGINE = "accounts.sessions.cached_db" if REDIS_URL else "accounts.sessions.db"
vars().update(conf.email("EMAIL_URL"))
DEFAULT_FROM_EMAIL = (
    conf.text("EMAIL_FROM") or f"Rollbook <rollbook@{_public.hostname}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 20  # seconds; a mail server that hangs must not hang a worker

# --- Jobs: what takes longer than a request, done by `manage.py worker` -------------
WORKER_THREADS = conf.whole_number("WORKER_THREADS", default=2, low=1, high=64)
# A worker that gives no sign of life for so long is dead, and another one goes on.
JOB_LEASE_SECONDS = conf.whole_number("JOB_LEASE_SECONDS", default=30, low=1, high=3600)
# The longest archive of photos, and where it lies, encrypted, until its job has ended.
# Web and worker need to see the same folder.
IMPORT_MAX_MB = conf.whole_number("IMPORT_MAX_MB", default=500, low=1, high=10_000)
IMPORT_SPOOL_DIR = conf.folder_beside_database(
    "IMPORT_SPOOL_DIR", database=DATABASES["default"]
)

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files that were never collected (a laptop, a test) come straight from the apps.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
warnings.filterwarnings("ignore", "No directory at", UserWarning)  # said by WhiteNoise
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "attendance_site.static_storage.StaticStorage"},
}

# --- People -------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/app/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Five wrong passwords close one account for one address for a while. Never an address
# alone, which a whole school may share, and never an account alone, or anybody could
# keep a teacher out from anywhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(
    minutes=conf.whole_number("LOGIN_DELAY_MINUTES", default=5, low=1, high=24 * 60)
)
# Trying on doesn't make the wait longer: whoever waits for its end gets in.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "accounts.lockout.account_of"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.address_of"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.answer_of_the_form"
# What it keeps is as little as it needs, and goes once the wait is over; who signed in
# is in the audit log.
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "next"]
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
_VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": _VALIDATION + "UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name", "teacher_id"]},
    },
    {"NAME": _VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": _VALIDATION + "CommonPasswordValidator"},
    {"NAME": _VALIDATION + "NumericPasswordValidator"},
]
USE_I18N = True
LANGUAGE_CODE = "en"
# Each under the name its speakers give it.
LANGUAGES = [("en", "English"), ("es", "Español"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "attendance_site.formats"
USE_TZ = True
TIME_ZONE = conf.time_zone("TIME_ZONE", default="UTC")

# --- Faces --------------------------------------------------------------------------
FACE_TEMPLATE_KEYS = conf.template_keys(debug=DEBUG)
FACE_MODEL = conf.text("FACE_MODEL") or "sface"
FACE_MODEL_ROOT = conf.text("FACE_MODEL_ROOT")
FACE_SIMILARITY_THRESHOLD = conf.optional_fraction("FACE_SIMILARITY_THRESHOLD")
FACE_MATCH_MARGIN = conf.optional_fraction("FACE_MATCH_MARGIN")
FACE_DEVICE = conf.device("FACE_DEVICE")
FACE_THREADS = conf.whole_number("FACE_THREADS", default=0, low=0, high=256)
FACE_QUEUE = conf.whole_number("FACE_QUEUE", default=16, low=0, high=10_000)
FACE_ENROLL_REVIEW = conf.choice(
    "FACE_ENROLL_REVIEW", ("off", "standard", "strict"), default="standard"
)
# What a missing consent does; see docs/privacy.md.
FACE_CONSENT = conf.choice("FACE_CONSENT", ("off", "warn", "require"), default="warn")
# Templates go so many days after a student has left the last class: longer than any
# summer, because a school that archives in June may seat its students in September.
FACE_RETENTION_DAYS = conf.whole_number(
    "FACE_RETENTION_DAYS", default=90, low=0, high=3650
)
# How long the school keeps its backups; printed on the receipt of each erasure.
BACKUP_RETENTION_DAYS = conf.whole_number(
    "BACKUP_RETENTION_DAYS", default=30, low=0, high=3650
)
FACE_MAX_UPLOAD_MB = conf.whole_number("FACE_MAX_UPLOAD_MB", default=10, low=1, high=99)
FACE_MAX_PIXELS = conf.whole_number(
    "FACE_MAX_PIXELS", default=40_000_000, low=10_000, high=500_000_000
)

# Photos stay in memory: no upload ever becomes a temporary file.
FILE_UPLOAD_HANDLERS = ["attendance_site.uploads.MemoryUploadHandler"]
MAX_PHOTOS_PER_REQUEST = 5
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# An import's page carries the table that was looked at until it is confirmed.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# A request may carry five photos and its form fields; more is refused unread.
MAX_REQUEST_BYTES = (MAX_PHOTOS_PER_REQUEST * FACE_MAX_UPLOAD_MB + 1) * 1024 * 1024
# Two addresses take an archive, which goes into the encrypted spool as it comes in.
ARCHIVE_PATHS = frozenset({"/import/photos", "/app/import/photos"})
MAX_ARCHIVE_BYTES = (IMPORT_MAX_MB + 1) * 1024 * 1024

# --- The API ------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # First, so that a call without a login is answered 401 and not 403.
        "accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "accounts.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": "10/min",
        "password_reset": "5/hour",
        "face": "1200/min",
        "import": "30/min",
    },
    # A throttle counts REMOTE_ADDR, in which ProxyMiddleware has put the client.
    "NUM_PROXIES": 0,
    "EXCEPTION_HANDLER": "attendance_site.errors.exception_handler",
    "NON_FIELD_ERRORS_KEY": "non_field_errors",
}
_access_minutes = conf.whole_number(
    "ACCESS_TOKEN_EXPIRE_MINUTES", default=30, low=1, high=24 * 60
)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=_access_minutes),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    # A new password or a deactivated account ends every token at once.
    "CHECK_REVOKE_TOKEN": True,
    "CHECK_USER_IS_ACTIVE": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rollbook API",
    "DESCRIPTION": "Classes, students, faces and the register. Log in at /auth/login.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    # Open to all: an old session or token must not close the documents.
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Two kinds of state: without names of their own they would take turns at one.
    "ENUM_NAME_OVERRIDES": {
        "ConsentStateEnum": "classroom.consent_models.ConsentState",
        "JobStateEnum": "accounts.job_models.JobState",
    },
    "PREPROCESSING_HOOKS": ["attendance_site.docs.without_last_slash"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "attendance_site.faults_document.with_faults",
        "attendance_site.faults_document.with_local_times",
    ],
}

# --- What whoever runs the site gets to see -----------------------------------------
# A laptop's log is read by a person, that of a site with HTTPS by a program.
LOG_FORMAT = conf.choice(
    "LOG_FORMAT", ("json", "line"), default="json" if HTTPS else "line"
)
LOGGING = logs.configuration(LOG_FORMAT)
# For `manage.py backup` by the clock; a person is asked.
BACKUP_PASSPHRASE = conf.text("BACKUP_PASSPHRASE")
# Without one there is no /metrics.
METRICS_TOKEN = conf.token("METRICS_TOKEN")
