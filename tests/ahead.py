"""The program's commands as they will be one revision on: `python -m tests.ahead backup restore …`."""

from crm.cli import main
from tenants.lifecycle.backups import restoring
from tenants.provisioning.revisions import Revision, head, steps

AHEAD = Revision("probe", ("alter table contacts add column probe text default 'new'",), transactional=True)


def _head(line: str = "tenant") -> str:
    return AHEAD.name if line == "tenant" else head(line)


def _steps(line: str, since: str | None) -> tuple[Revision, ...]:
    return (*steps(line, since), AHEAD)


if __name__ == "__main__":
    vars(restoring).update(head=_head, steps=_steps)
    main(prog_name="freehold")
