"""What an answer did not wait for, done: the thread's small work, and the errands that strangers asked for."""

from flask import Flask

from tenants.foundation.afterwards import afterwards
from tenants.jobs.errands import Errands


def errands_of(app: Flask) -> Errands:
    """The errands of the house, as its scheduler does them."""
    return Errands(app.extensions["house"].catalog, app.extensions["nursery"].wrapper)


def settle(app: Flask) -> None:
    """Do all of it here and now."""
    afterwards.settle()
    errands_of(app).do_due()
