"""Loads the demo: two tenants with believable data, the same at every first start."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import select

from crm.demo.cast import PASSWORD, STAGES, Player, Stage
from crm.demo.writing import Writer
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import LookupHash
from tenants.catalog.registry import Home
from tenants.foundation.tables import Source
from tenants.identity.founding import Founder
from tenants.identity.models import Role, Team, TeamMember, User, UserRole
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db, inside
from tenants.provisioning.birth import Nursery


@dataclass(frozen=True)
class SignIn:
    """How somebody gets into the demo. The key is known at the loading alone."""

    tenant: str
    name: str
    role: str
    email: str
    password: str
    api_key: str | None = None

    def shown(self) -> dict[str, str | None]:
        return asdict(self)


def load(nursery: Nursery, tell: Callable[[str], None] = lambda _news: None) -> list[SignIn]:
    """Make what is not there yet of the two tenants; everybody's sign-in, in order of tenants and roles."""
    found: list[SignIn] = []
    for stage in STAGES:
        key = None
        if nursery.catalog.by_slug(stage.slug) is None:
            tell(f"Loading the demo of {stage.name} …")
            key = _load(nursery, stage)
        for player in stage.players:
            shown = key if player.role == "admin" else None
            found.append(SignIn(stage.slug, player.name, player.role, _email(stage, player), PASSWORD, shown))
    return found


def _load(nursery: Nursery, stage: Stage) -> str | None:
    admin, *others = stage.players
    founder = Founder(admin.name, _email(stage, admin), PASSWORD, api_key=True)
    home, founding = nursery.open(stage.slug, stage.name, founder)
    with inside(home, patience_seconds=120):
        act_as(SYSTEM, request_id="demo", source=Source.ENTERED)
        users = _hire(home, nursery, stage, db().get_one(User, founding.user_id), others)
        Writer(stage, users).write()
    return founding.api_key


def _hire(home: Home, nursery: Nursery, stage: Stage, admin: User, others: list[Player]) -> list[User]:
    teams = {
        name: Team(name=name, source=Source.ENTERED) for name in sorted({each.team for each in stage.players})
    }
    db().add_all(teams.values())
    db().flush()
    roles = {role.name: role.id for role in db().scalars(select(Role))}
    admin.team_id = teams[stage.players[0].team].id
    users = [admin]
    for player in others:
        user = User(
            name=player.name,
            email=_email(stage, player),
            team_id=teams[player.team].id,
            source=Source.ENTERED,
        )
        db().add(user)
        db().flush()
        db().add_all(
            [
                UserRole(user_id=user.id, role_id=roles[player.role]),
                Password(user_id=user.id, hash=hash_of(PASSWORD)),
            ]
        )
        users.append(user)
    db().add_all([TeamMember(team_id=user.team_id, user_id=user.id) for user in users])
    for user, player in zip(users, stage.players, strict=True):
        if player.role == "manager":
            teams[player.team].manager_id = user.id
    db().flush()
    with nursery.catalog.transaction() as session:
        for player in others:
            session.add(
                LookupHash(kind="email", hash=nursery.hash_of_email(_email(stage, player)), tenant_id=home.id)
            )
    return users


def _email(stage: Stage, player: Player) -> str:
    return f"{player.address}@{stage.slug}.example"
