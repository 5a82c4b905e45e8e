"""The peer's Django settings: what the manuals of django-tenants and REST framework advise, and no more."""

import os

SECRET_KEY = "only ever used by a benchmark on this machine"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.peer.urls"
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None

SHARED_APPS = ["django_tenants", "bench.peer.customers"]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework.authtoken",
    "bench.peer.crm",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS, "django.contrib.postgres", "rest_framework"]
TENANT_MODEL = "customers.Customer"
TENANT_DOMAIN_MODEL = "customers.Domain"
AUTH_USER_MODEL = "crm.User"

DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": os.environ["PEER_DATABASE_HOST"],
        "NAME": os.environ["PEER_DATABASE_NAME"],
        "USER": os.environ["PEER_DATABASE_USER"],
        "PASSWORD": os.environ["PEER_DATABASE_PASSWORD"],
        "CONN_MAX_AGE": None,
    },
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
