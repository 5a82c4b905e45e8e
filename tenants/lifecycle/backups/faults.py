"""What can be wrong with a backup, said by the name of the file."""

from tenants.foundation.errors import Conflict


class BackupDamaged(Conflict):
    """A file of a backup is missing, was changed or cut short; the message names it."""

    code = "backup_damaged"
