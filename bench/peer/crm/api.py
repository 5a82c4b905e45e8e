"""The peer's four routes, each in the way its manual shows."""

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import transaction
from django.db.models import F
from rest_framework import generics, pagination, serializers

from bench.peer.crm.models import AuditEvent, Company, Contact, User

READ_ONLY = ["id", "created_at", "updated_at"]


class OwnerSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "name", "email"]


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ["id", "name", "domain"]


class ContactSerializer(serializers.ModelSerializer):
    owner = OwnerSerializer(read_only=True)
    company = CompanySerializer(read_only=True)
    owner_id = serializers.PrimaryKeyRelatedField(source="owner", queryset=User.objects.all())
    company_id = serializers.PrimaryKeyRelatedField(
        source="company", queryset=Company.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Contact
        exclude = ["search"]
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


CONTACTS = Contact.objects.select_related("owner", "company").defer("search")


class Contacts(generics.ListCreateAPIView):
    serializer_class = ContactSerializer
    pagination_class = NewestFirst

    def get_queryset(self):
        contacts = CONTACTS.all()
        if stage := self.request.query_params.get("lifecycle_stage"):
            contacts = contacts.filter(lifecycle_stage=stage)
        return contacts


class OneContact(generics.RetrieveAPIView):
    serializer_class = ContactSerializer
    queryset = CONTACTS


class FoundContacts(generics.ListAPIView):
    serializer_class = ContactSerializer
    pagination_class = None

    def get_queryset(self):
        words = SearchQuery(self.request.query_params["q"], search_type="websearch", config="simple")
        ranked = CONTACTS.filter(search=words).annotate(rank=SearchRank(F("search"), words))
        return ranked.order_by("-rank", "id")[:20]
