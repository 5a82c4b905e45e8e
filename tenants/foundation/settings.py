"""Every setting, typed, read once: from the environment first, then from `<data-dir>/env`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSettingError

from tenants.foundation.region_places import kept_of, must_be_apart
from tenants.foundation.settings_sources import (
    SettingsError,
    app_url_of_bootstrap,
    key_wrapper_url,
    mail_sender,
    places_file,
    postgresql_url,
    redis_url,
    refuse_unknown_names,
    sentences,
    smtp_url,
    storage_url,
    web_url,
)

MEBIBYTE = 1024 * 1024
#: The shortest and the longest period without use, of the installation and of a tenant.
INACTIVITY_DAYS = (60, 3650)

PostgresUrl = Annotated[str, BeforeValidator(postgresql_url)]
OptionalPostgresUrl = Annotated[str | None, BeforeValidator(lambda url: postgresql_url(url) if url else None)]
RedisUrl = Annotated[str, BeforeValidator(redis_url)]
KeyWrapperUrl = Annotated[str, BeforeValidator(key_wrapper_url)]
OptionalKeyWrapperUrl = Annotated[
    str | None, BeforeValidator(lambda url: key_wrapper_url(url) if url else None)
]
StorageUrl = Annotated[str, BeforeValidator(storage_url)]
WebUrl = Annotated[str, BeforeValidator(web_url)]
OptionalSmtpUrl = Annotated[str | None, BeforeValidator(lambda url: smtp_url(url) if url else None)]
MailSender = Annotated[str, BeforeValidator(mail_sender)]
OptionalPlaces = Annotated[Path | None, BeforeValidator(lambda file: places_file(file) if file else None)]
CellName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
RegionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class CellUrls(BaseModel):
    """How one more PostgreSQL server that holds tenants is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app: PostgresUrl = Field(repr=False)
    staff: PostgresUrl = Field(repr=False)
    owner: OptionalPostgresUrl = Field(None, repr=False)
    region: RegionName | None = None


def _under_data_dir(name: str) -> Any:
    return lambda found: found.get("data_dir", Path("var")).absolute() / name


class Settings(BaseSettings):
    """What whoever runs the program may decide. `docs/settings.md` is made from this class."""

    model_config = SettingsConfigDict(
        env_prefix="FREEHOLD_", frozen=True, extra="ignore", populate_by_name=True
    )

    environment: Literal["development", "production"] = Field(
        "development", description="In production cookies are secure."
    )
    data_dir: Path = Field(
        Path("var"), description="Where embedded servers, key file and local storage live."
    )
    database_url: PostgresUrl = Field(
        validation_alias="DATABASE_URL", repr=False, description="PostgreSQL as login `freehold_app`."
    )
    redis_url: RedisUrl = Field(
        validation_alias="REDIS_URL",
        repr=False,
        description="Redis, as `redis://`, `rediss://` or `unix://`.",
    )
    catalog_database_url: PostgresUrl = Field(
        repr=False, description="PostgreSQL of the catalog as login `freehold_catalog`."
    )
    staff_database_url: OptionalPostgresUrl = Field(
        None, repr=False, description="PostgreSQL as login `freehold_staff`."
    )
    owner_database_url: OptionalPostgresUrl = Field(
        None,
        repr=False,
        description="PostgreSQL as login `freehold_owner`, for `migrate` and the scheduler, nobody else.",
    )
    cells: dict[CellName, CellUrls] = Field(
        {},
        repr=False,
        description='Further cells: `{"name": {"app": URL, "staff": URL, "owner": URL, "region": "eu"}}`.',
    )
    region: RegionName | None = Field(None, description="The region of the first cell, `main`.")
    region_storage: dict[RegionName, StorageUrl] = Field(
        {},
        description='Where files of tenants that chose a region go: `{"eu": "s3://bucket/prefix"}`. Every region of a '
        "cell has to be here, but for `FREEHOLD_REGION`: its files go to `FREEHOLD_STORAGE`.",
    )
    storage: StorageUrl = Field(
        default_factory=lambda found: _under_data_dir("storage")(found).as_uri(),
        description="Where files go: `file:///path` or `s3://bucket/prefix` (`AWS_ENDPOINT_URL` is heeded).",
    )
    storage_kms_key: str | None = Field(
        None,
        description="The AWS KMS key (id or ARN) that the bucket encrypts files with, on top of our own sealing.",
    )
    backups: StorageUrl = Field(
        default_factory=lambda found: _under_data_dir("backups")(found).as_uri(),
        description="Where backups and their ledger go: `file:///path` or `s3://bucket/prefix`, on other machines than "
        "the databases.",
    )
    region_backups: dict[RegionName, StorageUrl] = Field(
        {},
        description="Where backups of tenants that chose a region go, likewise: every region of a cell has to be here, "
        "but for `FREEHOLD_REGION`.",
    )
    keyring: StorageUrl = Field(
        default_factory=lambda found: _under_data_dir("keyring")(found).as_uri(),
        description="Where the dated keys of backups and the newest copy of tenants' wrapped keys are: apart from the "
        "backups, and in none of them.",
    )
    key_file: Path = Field(
        default_factory=_under_data_dir("key"), description="The key file that wraps each tenant's data key."
    )
    key_wrapper: KeyWrapperUrl = Field(
        default_factory=lambda found: found.get("key_file", Path("key")).absolute().as_uri(),
        description="What wraps each tenant's data key: `file:///path`, or a key of AWS KMS as `aws-kms://alias/NAME` "
        "or `aws-kms://ARN`.",
    )
    former_key_wrapper: OptionalKeyWrapperUrl = Field(
        None,
        description="What wrapped them before: it still opens keys, until `freehold keys rewrap` has wrapped all again.",
    )
    public_url: WebUrl = Field(
        "http://127.0.0.1:8000",
        description="The address people reach the program at. `up` and `serve` take the one that they listen on;"
        " workers and the scheduler of `serve` have to be told another than the default.",
    )
    smtp_url: OptionalSmtpUrl = Field(
        None,
        repr=False,
        description="The mail server: `smtps://login:password@host`, `smtp+starttls://…`, or `smtp://host` "
        "without a password. Without one, mails are files in `<data-dir>/mail` in development, and fail in production.",
    )
    mail_from: MailSender = Field(
        "Freehold <freehold@localhost>", description="The sender of mails: `Name <address>`."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies in front that add to `X-Forwarded-For`; callers' addresses are taken from there.",
    )
    places: OptionalPlaces = Field(
        None,
        description="A database of towns or countries by network address (`.mmdb`, such as DB-IP Lite or GeoLite2): with "
        "it, sessions show where they are. It is read at start-up.",
    )
    outbound_allow_loopback: bool = Field(
        default=False,
        description="Whether requests may go out to this machine, over plain HTTP too; for tests, never in production.",
    )
    secure_cookies: bool = Field(
        default_factory=lambda found: found.get("environment") == "production",
        description="Whether cookies travel over HTTPS only.",
    )
    pool_size: int = Field(
        8,
        ge=2,
        le=1000,
        description="Database connections per process, cell and login; an export reports over a second one.",
    )
    pool_max_age_seconds: int = Field(
        1800, ge=1, description="A database connection is not kept longer than this."
    )
    prepare_statements: bool = Field(
        default=True,
        description="Off behind a pooler that can't keep track of prepared statements, such as PgBouncer before 1.21.",
    )
    max_body_bytes: int = Field(
        MEBIBYTE,
        ge=1024,
        description="The largest body a request may have, besides free texts such as notes.",
    )
    max_upload_bytes: int = Field(
        200 * MEBIBYTE, ge=1024, description="The largest file a request may bring."
    )
    max_attachment_bytes: int = Field(
        100 * MEBIBYTE, ge=1024, description="The largest file that can be attached to a record."
    )
    requests_per_minute_tenant: int = Field(
        12_000, ge=1, description="Requests a tenant may make in a minute."
    )
    requests_per_minute_caller: int = Field(3000, ge=1, description="Requests a caller may make in a minute.")
    signups_per_hour_address: int = Field(20, ge=1, description="Sign-ups from one address in an hour.")
    session_days: int = Field(14, ge=1, description="No session lives longer than this.")
    session_idle_hours: int = Field(
        24, ge=1, le=8760, description="A session that nobody used for this long is over."
    )
    connected_app_days: int = Field(
        30, ge=1, le=3650, description="Days until a connected app has to ask its user again."
    )
    spare_tenants: int = Field(2, ge=0, le=1000, description="Tenants prepared ahead of the next sign-up.")
    web_workers: int = Field(2, ge=1, le=256, description="Web processes that `up` and `serve` start.")
    web_threads: int = Field(8, ge=1, le=256, description="Requests one web process works on at a time.")
    worker_count: int = Field(2, ge=1, le=256, description="Job workers that `up` starts.")
    job_lease_seconds: int = Field(
        30, ge=2, description="A worker that is silent this long has lost its job."
    )
    job_in_flight_cap: int = Field(8, ge=1, description="Jobs of one tenant that run at the same time.")
    export_days: int = Field(7, ge=1, description="Days until a finished export is removed.")
    backup_days: int = Field(
        35,
        ge=1,
        le=3650,
        description="Days until the dated key of a backup is destroyed. Keep other copies of the servers, and "
        "former keys of keys, no longer: certificates say so.",
    )
    import_rows_days: int = Field(
        30, ge=1, le=3650, description="Days until the rows of an ended import are removed."
    )
    inactivity_days: int | None = Field(
        None,
        ge=INACTIVITY_DAYS[0],
        le=INACTIVITY_DAYS[1],
        description="Days without any use after which a tenant is archived that has no period of its own; its admins "
        "are told 30, 7 and 1 days before. Empty: never.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="One JSON object a line, or for a person."
    )

    @model_validator(mode="after")
    def _buckets_have_keys(self) -> Self:
        if self.storage_kms_key and not self.storage.startswith("s3://"):
            raise ValueError("FREEHOLD_STORAGE_KMS_KEY is for a bucket, and FREEHOLD_STORAGE is none.")
        return self

    @model_validator(mode="after")
    def _regions_are_apart(self) -> Self:
        kept = kept_of(self.storage, self.region_storage, self.backups, self.region_backups)
        must_be_apart(self.regions.values(), self.region, kept)
        return self

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.environment == "production" and not self.secure_cookies:
            raise ValueError("FREEHOLD_SECURE_COOKIES can't be off in production.")
        if self.environment == "production" and self.outbound_allow_loopback:
            raise ValueError("FREEHOLD_OUTBOUND_ALLOW_LOOPBACK can't be on in production.")
        return self

    @property
    def regions(self) -> dict[str, str | None]:
        """The region of each cell."""
        return {"main": self.region, **{name: each.region for name, each in self.cells.items()}}

    @classmethod
    def read(cls, data_dir: Path | None = None) -> "Settings":
        """Read every setting, or raise `SettingsError` with a sentence per setting that is wrong."""
        folder = data_dir or Path(os.environ.get("FREEHOLD_DATA_DIR") or "var")
        file = folder / "env"
        refuse_unknown_names(os.environ, {env_name(name) for name in cls.model_fields})
        given: dict[str, Any] = {"_env_file": file, "_env_file_encoding": "utf-8", "data_dir": folder}
        if url := app_url_of_bootstrap(file, os.environ.get("DATABASE_URL")):
            given["database_url"] = url
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(sentences(error, file)) from None
        except UnreadableSettingError as error:
            field = str(error).split('"')[1]
            raise SettingsError(f"{env_name(field)} is not valid JSON.") from None
        except OSError as error:
            raise SettingsError(f"{file} can't be read: {error.strerror}.") from None


def env_name(field: str) -> str:
    """The environment variable that sets a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"FREEHOLD_{field.upper()}"
