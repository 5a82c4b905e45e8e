"""The users and teams of the tenant at hand, as the SCIM library stores resources."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scim2_models import (
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
)
from scim2_server.storage import ScimStorage, SearchPage

from tenants.identity.scim.describing import version_of
from tenants.identity.scim.groups import change_group, create_team, remove_team
from tenants.identity.scim.searching import KINDS, Kind, found, searched
from tenants.identity.scim.users import change_user, create_user, remove_user
from tenants.isolation.door import db, here

CREATE: dict[str, Any] = {"User": create_user, "Group": create_team}
CHANGE: dict[str, Any] = {"User": change_user, "Group": change_group}
REMOVE: dict[str, Any] = {"User": remove_user, "Group": remove_team}


class TenantDirectory(ScimStorage):
    """It keeps nothing itself: the transaction at hand says whose users these are."""

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002 - the library leaves out what isn't asked for
    ) -> Resource[Any]:
        return self._shown(resource_type, resource_id)

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002 - pages go by index
    ) -> SearchPage:
        return searched([_kind(each) for each in resource_types], search_request)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        made = CREATE[str(resource_type.name)](resource)
        return self._shown(resource_type, str(made.id))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        record, known = self._row(resource_type, str(resource.id), expected_version)
        CHANGE[str(resource_type.name)](record, known, resource)
        return self._shown(resource_type, str(resource.id))

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        record, known = self._row(resource_type, resource_id, expected_version)
        REMOVE[str(resource_type.name)](record, known)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """One operation of several: what fails leaves nothing behind, neither rows nor what was to follow them."""
        tenancy = here()
        tenancy.session.flush()
        tenancy.send_pending()
        effects = len(tenancy.after_commit)
        try:
            with db().begin_nested():
                yield
                tenancy.session.flush()
                tenancy.send_pending()
        except BaseException:
            tenancy.pending.clear()
            tenancy.notes.pop("audit", None)
            del tenancy.after_commit[effects:]
            raise

    def _shown(self, resource_type: ResourceType, resource_id: str) -> Resource[Any]:
        kind = _kind(resource_type)
        row = found(kind, resource_id)
        if row is None:
            raise _nothing(resource_type, resource_id)
        shown: Resource[Any] = kind.described([row])[0]
        return shown

    def _row(self, resource_type: ResourceType, resource_id: str, expected_version: str | None) -> Any:
        row = found(_kind(resource_type), resource_id, lock=True)
        if row is None:
            raise _nothing(resource_type, resource_id)
        if expected_version not in (None, version_of(row[0])):
            raise PreconditionFailedException
        return row


def _kind(resource_type: ResourceType) -> Kind:
    return KINDS[str(resource_type.name)]


def _nothing(resource_type: ResourceType, resource_id: str) -> NotFoundException:
    """In the same words for what never was, is gone, or is a neighbour's."""
    return NotFoundException(detail=f"{resource_type.name} {resource_id!r} not found")
