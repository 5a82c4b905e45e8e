"""The peer's tables of a tenant: the shapes, columns and indexes of our own, said in Django's way."""

import uuid

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower

STAGES = [(word, word) for word in ("subscriber", "lead", "qualified", "customer", "former")]


class Words(models.Func):
    """The words of a record, punctuation as blanks, as the tables that are compared have them."""

    template = "to_tsvector('simple'::regconfig, translate(%(expressions)s, '@.-_/', '     '))"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()

    def __init__(self, *names):
        super().__init__(
            *(models.Func(models.F(name), template="coalesce(%(expressions)s, '')") for name in names)
        )


def short(length=200):
    return models.CharField(max_length=length, null=True)


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"

    class Meta:
        db_table = "users"


class Team(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200, unique=True)

    class Meta:
        db_table = "teams"


class Record(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.IntegerField(default=1)
    source = models.CharField(max_length=20, default="api")
    phone = short(40)
    street = short()
    city = short(100)
    region = short(100)
    postal_code = short(20)
    country = short(2)
    notes = models.TextField(null=True)

    class Meta:
        abstract = True


class Company(Record):
    name = models.CharField(max_length=200)
    domain = short(253)
    sector = short(100)
    employees = models.IntegerField(null=True)
    founded = models.IntegerField(null=True)
    revenue = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    revenue_currency = short(3)
    vat_number = short(30)
    bank_account = models.BinaryField(null=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT)
    words = models.GeneratedField(
        expression=Words("name", "domain", "city"), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        db_table = "companies"
        indexes = [
            GinIndex(fields=["words"], name="companies_words_idx"),
            models.Index("created_at", "id", name="companies_created_idx"),
            models.Index("name", name="companies_name_idx"),
        ]


class Contact(Record):
    first_name = short(100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField(null=True)
    mobile = short(40)
    job_title = short(100)
    department = short(100)
    lifecycle = models.CharField(max_length=20, default="lead", choices=STAGES)
    birthday = models.DateField(null=True)
    website = short(2000)
    do_not_contact = models.BooleanField(default=False)
    tags = ArrayField(models.TextField(), default=list)
    national_id = models.BinaryField(null=True)
    company = models.ForeignKey(Company, null=True, on_delete=models.PROTECT)
    words = models.GeneratedField(
        expression=Words("first_name", "last_name", "email"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        db_table = "contacts"
        indexes = [
            GinIndex(fields=["words"], name="contacts_words_idx"),
            models.Index("created_at", "id", name="contacts_created_idx"),
            models.Index(Lower("email"), name="contacts_email_idx"),
            models.Index("lifecycle", "created_at", "id", name="contacts_lifecycle_idx"),
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
