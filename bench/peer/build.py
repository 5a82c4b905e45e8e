"""Makes the peer's schemas for every `SCHEMA DOMAIN` line on stdin.

Tables come from the models at once, without a migration history: a benchmark never migrates.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402

from bench.peer.customers.models import Customer, Domain  # noqa: E402


def make_tables(app_names: list[str]) -> None:
    wanted = [config for config in apps.get_app_configs() if config.name in app_names]
    with connection.schema_editor() as editor:
        for config in wanted:
            for model in config.get_models():
                if not model._meta.proxy:
                    editor.create_model(model)


def make_shared() -> None:
    make_tables(settings.SHARED_APPS)
    public = Customer.objects.create(schema_name="public", name="public")
    Domain.objects.create(domain="public.test", tenant=public, is_primary=True)


def make_customer(schema: str, domain: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"create schema {connection.ops.quote_name(schema)}")
    customer = Customer.objects.create(schema_name=schema, name=schema)
    Domain.objects.create(domain=domain, tenant=customer, is_primary=True)
    with schema_context(schema):
        make_tables(settings.TENANT_APPS)


if __name__ == "__main__":
    make_shared()
    for line in sys.stdin:
        make_customer(*line.split())
