"""The peer's tables of a tenant: the shapes, columns and indexes of our own, said in Django's way."""

import uuid

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models.functions import Lower

STAGES = [(word, word) for word in ("lead", "mql", "sql", "customer")]
STATUSES = [(word, word) for word in ("active", "inactive")]
NEWEST_FIRST = (models.F("created_at").desc(), models.F("id").desc())


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"

    class Meta:
        db_table = "users"


class Company(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=200, null=True)
    industry = models.CharField(max_length=100, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "companies"


class Contact(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField()
    phone = models.CharField(max_length=40, null=True)
    mobile = models.CharField(max_length=40, null=True)
    job_title = models.CharField(max_length=100, null=True)
    department = models.CharField(max_length=100, null=True)
    lifecycle_stage = models.CharField(max_length=20, default="lead", choices=STAGES)
    lead_source = models.CharField(max_length=50, null=True)
    status = models.CharField(max_length=20, default="active", choices=STATUSES)
    street = models.CharField(max_length=200, null=True)
    city = models.CharField(max_length=100, null=True)
    region = models.CharField(max_length=100, null=True)
    postal_code = models.CharField(max_length=20, null=True)
    country = models.CharField(max_length=2, null=True)
    birthday = models.DateField(null=True)
    linkedin_url = models.URLField(null=True)
    do_not_contact = models.BooleanField(default=False)
    score = models.IntegerField(default=0)
    annual_value = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL)
    tags = ArrayField(models.TextField(), default=list)
    custom = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search = models.GeneratedField(
        expression=SearchVector(
            "first_name", "last_name", "email", "job_title", "city", "country", config="simple"
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        db_table = "contacts"
        indexes = [
            models.Index(*NEWEST_FIRST, name="contacts_newest"),
            models.Index("lifecycle_stage", *NEWEST_FIRST, name="contacts_by_stage"),
            models.Index("owner", *NEWEST_FIRST, name="contacts_by_owner"),
            models.Index(Lower("email"), name="contacts_by_email"),
            GinIndex(fields=["search"], name="contacts_by_word"),
            GinIndex(fields=["tags"], name="contacts_by_tag"),
        ]


class AuditEvent(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    action = models.CharField(max_length=20)
    record = models.CharField(max_length=40)
    record_id = models.UUIDField()
    changes = models.JSONField()

    class Meta:
        db_table = "audit_events"
        indexes = [models.Index("record", "record_id", name="audit_events_by_record")]
