"""The worker's process: knows every feature's jobs, and who the users are on whose behalf they run."""

from crm.app import must_be_open, open_house
from tenants.foundation import logs
from tenants.foundation.settings import Settings
from tenants.identity.standings import standing_of
from tenants.jobs.registry import recognise_actors_with
from tenants.jobs.worker import work


def main(settings: Settings) -> None:
    """Run jobs until told to stop. A supervisor starts as many of these as there should be workers."""
    logs.set_up(settings.log_level, settings.log_format)
    house = open_house(settings)
    must_be_open(settings, house.catalog)
    recognise_actors_with(standing_of)
    work(settings, house.catalog)
