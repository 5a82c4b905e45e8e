"""Settings are read once, from the environment and then from the file, and a wrong one is a sentence."""

from pathlib import Path

import pytest

from tenants.foundation.settings import Settings
from tenants.foundation.settings_page import page
from tenants.foundation.settings_sources import BOOTSTRAPPED_FROM, fingerprint
from tests.tenants.foundation.settled import URLS, refusal


def test_the_environment_is_enough(environment, tmp_path):
    settings = Settings.read()

    assert settings.database_url == URLS["DATABASE_URL"]
    assert settings.data_dir == tmp_path
    assert settings.storage == (tmp_path / "storage").as_uri()
    assert settings.key_file == tmp_path / "key"


def test_the_file_fills_in_what_the_environment_does_not_say(environment, tmp_path):
    environment.delenv("REDIS_URL")
    (tmp_path / "env").write_text("REDIS_URL='unix:///file'\nDATABASE_URL='postgresql://file'\n")

    settings = Settings.read(tmp_path)

    assert settings.redis_url == "unix:///file"
    assert settings.database_url == URLS["DATABASE_URL"]


def test_an_empty_variable_hides_what_the_file_says(environment, tmp_path):
    (tmp_path / "env").write_text("FREEHOLD_OWNER_DATABASE_URL='postgresql://owner'\n")
    environment.setenv("FREEHOLD_OWNER_DATABASE_URL", "")

    assert Settings.read(tmp_path).owner_database_url is None


def test_the_administrators_url_gives_way_to_the_login_made_with_it(environment, tmp_path):
    environment.setenv("DATABASE_URL", "postgresql://postgres@db/x")
    kept = f"DATABASE_URL='postgresql://app@db/x'\n{BOOTSTRAPPED_FROM}={{}}\n"

    (tmp_path / "env").write_text(kept.format(fingerprint("postgresql://postgres@db/x")))
    assert Settings.read(tmp_path).database_url == "postgresql://app@db/x"

    (tmp_path / "env").write_text(kept.format(fingerprint("postgresql://postgres@elsewhere/x")))
    assert Settings.read(tmp_path).database_url == "postgresql://postgres@db/x"


def test_what_is_missing_is_named(environment, tmp_path):
    environment.delenv("DATABASE_URL")

    assert refusal() == f"DATABASE_URL is not set, neither in the environment nor in {tmp_path}/env."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "FREEHOLD_POOL_SIZE",
            "many",
            "FREEHOLD_POOL_SIZE is 'many', it should be a valid integer.",
        ),
        ("FREEHOLD_POOL_SIZE", "0", "FREEHOLD_POOL_SIZE is '0', it should be greater than or equal to 2."),
        (
            "FREEHOLD_LOG_LEVEL",
            "loud",
            "FREEHOLD_LOG_LEVEL is 'loud', it should be 'debug', 'info', 'warning' or 'error'.",
        ),
        (
            "FREEHOLD_STORAGE",
            "ftp://x",
            "FREEHOLD_STORAGE is 'ftp://x', it should look like file:///path or s3://bucket/prefix.",
        ),
        ("REDIS_URL", "http://x", "REDIS_URL is wrong, it should look like redis://:password@host:6379/0."),
        (
            "FREEHOLD_SMTP_URL",
            "http://mail.example.com",
            "FREEHOLD_SMTP_URL is wrong, it should look like smtps://login:password@host:465.",
        ),
        (
            "FREEHOLD_SMTP_URL",
            "smtp://post:secret@mail.example.com",
            "FREEHOLD_SMTP_URL is wrong, a password needs smtps:// or smtp+starttls://.",
        ),
        (
            "FREEHOLD_MAIL_FROM",
            "nobody",
            "FREEHOLD_MAIL_FROM is 'nobody', it should look like Freehold <freehold@example.com>.",
        ),
        ("FREEHOLD_CELLS", "{", "FREEHOLD_CELLS is not valid JSON."),
        (
            "FREEHOLD_CELLS",
            '{"west": {"app": "postgresql://x"}}',
            "FREEHOLD_CELLS is wrong at west.staff: it is missing.",
        ),
        ("FREEHOLD_POOLSIZE", "8", "FREEHOLD_POOLSIZE is not a setting; did you mean FREEHOLD_POOL_SIZE?"),
    ],
)
def test_each_wrong_value_is_one_sentence(environment, name, value, sentence):
    environment.setenv(name, value)

    assert refusal() == sentence


def test_two_wrong_values_are_two_sentences(environment):
    environment.setenv("FREEHOLD_POOL_SIZE", "0")
    environment.setenv("FREEHOLD_WORKER_COUNT", "0")

    assert len(refusal().splitlines()) == 2


def test_a_wrong_url_does_not_show_its_password(environment):
    environment.setenv("DATABASE_URL", "mysql://app:hunter2@db/x")

    sentence = refusal()

    assert "DATABASE_URL is wrong" in sentence
    assert "hunter2" not in sentence


def test_settings_shown_in_a_log_hold_no_password(environment):
    assert "secret" not in repr(Settings.read())


def test_every_spelling_of_a_postgresql_url_becomes_one(environment):
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        environment.setenv("DATABASE_URL", f"{scheme}://app@db/x")
        assert Settings.read().database_url == "postgresql://app@db/x"


def test_production_refuses_what_is_meant_for_a_laptop(environment):
    environment.setenv("FREEHOLD_ENVIRONMENT", "production")
    assert Settings.read().secure_cookies

    environment.setenv("FREEHOLD_SECURE_COOKIES", "off")
    assert refusal() == "FREEHOLD_SECURE_COOKIES can't be off in production."


def test_production_refuses_requests_to_this_machine(environment):
    environment.setenv("FREEHOLD_OUTBOUND_ALLOW_LOOPBACK", "on")
    assert Settings.read().outbound_allow_loopback

    environment.setenv("FREEHOLD_ENVIRONMENT", "production")
    assert refusal() == "FREEHOLD_OUTBOUND_ALLOW_LOOPBACK can't be on in production."


def test_settings_do_not_change_once_read(environment):
    settings = Settings.read()

    with pytest.raises(ValueError, match="frozen"):
        settings.pool_size = 99


def test_the_page_of_settings_says_what_the_program_reads():
    written = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")

    assert written == page(), "run `make docs`"
