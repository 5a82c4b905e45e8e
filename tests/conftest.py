"""What every test may ask for."""

pytest_plugins = [
    "tests.s3",
    "tests.kms",
    "tests.servers",
    "tests.cells",
    "tests.elsewhere",
    "tests.skips",
    "tests.house",
    "tests.jobs",
    "tests.processes",
    "tests.logged",
    "tests.receivers",
    "tests.spooled",
]
