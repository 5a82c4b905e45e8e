"""The peer's four routes, each in the way its manual shows."""

from django.contrib.postgres.search import SearchQuery
from django.db import transaction
from rest_framework import generics, pagination, serializers

from bench.peer.crm.models import AuditEvent, Company, Contact, Team, User

NOT_SHOWN = ["words", "national_id"]
READ_ONLY = ["id", "created_at", "updated_at", "version", "source"]


class OwnerSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "name"]


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ["id", "name", "domain"]


def related(model, source):
    return serializers.PrimaryKeyRelatedField(
        source=source, queryset=model.objects.all(), required=False, allow_null=True
    )


class ContactSerializer(serializers.ModelSerializer):
    owner = OwnerSerializer(read_only=True)
    company = CompanySerializer(read_only=True)
    owner_id = related(User, "owner")
    team_id = related(Team, "team")
    company_id = related(Company, "company")

    class Meta:
        model = Contact
        exclude = [*NOT_SHOWN, "team"]
        read_only_fields = READ_ONLY

    @transaction.atomic
    def create(self, validated_data):
        contact = super().create(validated_data)
        AuditEvent.objects.create(
            actor=self.context["request"].user,
            action="create",
            record="contact",
            record_id=contact.pk,
            changes=self.initial_data,
        )
        return contact


class NewestFirst(pagination.CursorPagination):
    page_size = 50
    ordering = ("-created_at", "-id")


CONTACTS = Contact.objects.select_related("owner", "company").defer(*NOT_SHOWN)


class Contacts(generics.ListCreateAPIView):
    serializer_class = ContactSerializer
    pagination_class = NewestFirst

    def get_queryset(self):
        contacts = CONTACTS.all()
        if stage := self.request.query_params.get("lifecycle"):
            contacts = contacts.filter(lifecycle=stage)
        return contacts


class OneContact(generics.RetrieveAPIView):
    serializer_class = ContactSerializer
    queryset = CONTACTS


class FoundContacts(generics.ListAPIView):
    serializer_class = ContactSerializer
    pagination_class = None

    def get_queryset(self):
        words = SearchQuery(f"'{self.request.query_params['q']}':*", search_type="raw", config="simple")
        return CONTACTS.filter(words=words).order_by("-created_at", "-id")[:20]
