"""What can't be done is a sentence on stderr and status 1; what was asked wrongly is status 2."""

import socket
from uuid import UUID

import click
import pytest
from click.testing import CliRunner, Result

from crm.cli import COMMANDS, main, options
from crm.cli.refusals import in_sentences
from tenants.foundation.settings import Settings, env_name

NOWHERE = "postgresql://freehold_app:hunter2@127.0.0.1:1/freehold"


@pytest.fixture
def freehold(monkeypatch, tmp_path):
    """Runs a command with an empty environment and a data folder of its own."""
    for field in Settings.model_fields:
        monkeypatch.delenv(env_name(field), raising=False)
    monkeypatch.setenv("FREEHOLD_DATA_DIR", str(tmp_path))

    def run(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, arguments, env=environment)

    return run


def sentence(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(freehold, command):
    result = freehold(command, "--help")

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {command}")


def test_the_list_of_commands_says_what_each_is_for(freehold):
    shown = freehold("--help").output

    for command in COMMANDS:
        line = next(line for line in shown.splitlines() if line.startswith(f"  {command} "))
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_a_group_is_told_in_one_line(freehold, command):
    _, found, listed = freehold(command, "--help").output.partition("Commands:\n")

    assert bool(found) == isinstance(main.get_command(click.Context(main), command), click.Group)
    assert not [line for line in listed.splitlines() if line.endswith("...") or not line.startswith("  ")]


def test_an_unknown_command_or_option_is_a_usage_error(freehold):
    assert freehold("rise").exit_code == 2
    assert freehold("serve", "--port", "high").exit_code == 2
    assert freehold("bootstrap").exit_code == 2
    assert freehold("bootstrap", "--admin-url", "mysql://db/x").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["staff", "create", "nobody", "--role", "support"],
        ["tenant", "create", "acme", "--name", "Acme", "--admin-email", "nobody"],
        ["tenant", "import", __file__, "--slug", "acme", "--admin-email", "nobody"],
    ],
)
def test_an_address_that_is_none_is_a_usage_error(freehold, arguments):
    result = freehold(*arguments)

    assert result.exit_code == 2
    assert "'nobody' is not an e-mail address." in result.stderr


@pytest.mark.parametrize("command", ["serve", "migrate", "doctor"])
def test_without_settings_a_command_says_in_one_sentence_what_is_missing(freehold, command, tmp_path):
    assert sentence(freehold(command)) == (
        "DATABASE_URL, REDIS_URL and FREEHOLD_CATALOG_DATABASE_URL are not set,"
        f" neither in the environment nor in {tmp_path}/env.\n"
    )


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port_is_refused_before_anything_starts(freehold, command, tmp_path, settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = freehold(command, "--port", port, **variables(settings))

    assert sentence(result) == f"Port {port} on 127.0.0.1 is taken; choose another with --port.\n"
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_another_machine_is_refused(freehold):
    said = sentence(freehold("up", "--host", "192.0.2.1"))

    assert said == "Port 8000 on 192.0.2.1 can't be used: Cannot assign requested address.\n"


def test_a_data_folder_that_cannot_be_made_is_a_sentence(freehold, tmp_path, free_port):
    (tmp_path / "file").write_text("in the way")

    said = sentence(freehold("up", "--port", str(free_port), "--data-dir", str(tmp_path / "file" / "var")))

    assert said == f"{tmp_path}/file/var/log can't be used: Not a directory.\n"


def test_a_database_that_is_away_is_a_sentence_without_its_password(freehold, free_port, settings):
    elsewhere = variables(settings) | {"DATABASE_URL": NOWHERE, "FREEHOLD_OWNER_DATABASE_URL": NOWHERE}

    for arguments in (
        ["serve", "--port", str(free_port)],
        ["migrate"],
        ["bootstrap", "--admin-url", NOWHERE],
    ):
        said = sentence(freehold(*arguments, **elsewhere))
        assert "can't be reached" in said
        assert "hunter2" not in said


def test_a_superuser_is_refused_by_the_web(freehold, free_port, settings, servers):
    as_superuser = variables(settings) | {"DATABASE_URL": servers.admin_url}

    said = sentence(freehold("serve", "--port", str(free_port), **as_superuser))

    assert "'postgres' is a superuser, who reads every tenant." in said


def test_migrating_without_the_owners_login_is_refused(freehold, settings):
    said = sentence(freehold("migrate", **variables(settings) | {"FREEHOLD_OWNER_DATABASE_URL": ""}))

    assert said.startswith("FREEHOLD_OWNER_DATABASE_URL is not set")


def variables(settings: Settings) -> dict[str, str]:
    """The environment that says what these settings say."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "FREEHOLD_CATALOG_DATABASE_URL": settings.catalog_database_url,
        "FREEHOLD_OWNER_DATABASE_URL": settings.owner_database_url or "",
        "FREEHOLD_KEY_FILE": str(settings.key_file),
        "FREEHOLD_STORAGE": settings.storage,
        "FREEHOLD_BACKUPS": settings.backups,
        "FREEHOLD_KEYRING": settings.keyring,
    }


def test_access_where_nothing_answers_is_a_sentence(freehold, free_port):
    nobody = ["access", "list", "--email", "ada@acme.example", "--url"]

    assert sentence(freehold(*nobody, f"http://127.0.0.1:{free_port}")).endswith(
        "with --url where Freehold is.\n"
    )
    assert sentence(freehold(*nobody, "freehold.example")).startswith(
        "There is no Freehold at freehold.example/api/v1:"
    )


def test_access_goes_where_the_data_folder_says_that_freehold_is(freehold, free_port, tmp_path):
    (tmp_path / "env").write_text(f"FREEHOLD_PUBLIC_URL='http://127.0.0.1:{free_port}'\n")

    said = sentence(freehold("access", "list", "--email", "ada@acme.example"))

    assert said.startswith(f"Nothing answers at http://127.0.0.1:{free_port}/api/v1:")


def test_values_that_are_not_right_are_named():
    assert in_sentences("Some values are not right", {"hours": ["At most 4."]}) == (
        "Some values are not right:\nhours: At most 4."
    )
    assert in_sentences("It is taken.", {"slug": ["It is taken."]}) == "It is taken."


def test_an_answer_for_a_person_shows_no_python(capsys):
    options.answer(
        {"tenant": {"id": UUID(int=1)}, "region": None, "holds": True, "names": ["a", "b"], "left_out": {}},
        as_json=False,
    )

    assert capsys.readouterr().out == (
        f"tenant:\n  id: {UUID(int=1)}\nregion: none\nholds: yes\nnames: a, b\nleft out: none\n"
    )
