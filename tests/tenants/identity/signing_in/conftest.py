"""Somebody of each neighbour, with a password of their own."""

from collections.abc import Callable

import pytest
from flask import Flask

from tenants.catalog.throttles import Throttle
from tenants.identity.signing_in import budgets
from tenants.provisioning.birth import Nursery
from tests.persons import Person, make_person
from tests.workspace import Workspace

NewPerson = Callable[..., Person]


@pytest.fixture
def new_person(app: Flask, nursery: Nursery, acme: Workspace) -> NewPerson:
    return lambda workspace=acme, **options: make_person(app, nursery, workspace, **options)


@pytest.fixture
def perla(new_person: NewPerson) -> Person:
    return new_person()


@pytest.fixture
def stranger(new_person: NewPerson, neighbour: Workspace) -> Person:
    """Somebody of the tenant next door."""
    return new_person(neighbour)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for having been tried often: throttles have tests of their own."""
    for name, each in vars(budgets).copy().items():
        if isinstance(each, Throttle):
            monkeypatch.setattr(budgets, name, Throttle(each.name, free=100_000, forgets=1, longest=1))
