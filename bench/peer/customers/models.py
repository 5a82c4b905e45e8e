"""Customers and their domains, as django-tenants asks for them."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Customer(TenantMixin):
    name = models.CharField(max_length=100)
    # Tables are made by bench.peer.build, without a migration history.
    auto_create_schema = False


class Domain(DomainMixin):
    pass
