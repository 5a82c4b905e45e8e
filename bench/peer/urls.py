"""Where the peer's routes are."""

from django.urls import path

from bench.peer.crm.api import Contacts, FoundContacts, OneContact

urlpatterns = [
    path("contacts", Contacts.as_view()),
    path("contacts/<uuid:pk>", OneContact.as_view()),
    path("search", FoundContacts.as_view()),
]
