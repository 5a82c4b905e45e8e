"""The processes that the benchmark of jobs measures: our worker and scheduler, and RQ's forking worker.

`python -m bench.job_side worker` with the settings of the benchmark in its environment.
"""

import os
import sys

from bench.chores import PEER_QUEUE


def main(part: str) -> None:
    from tenants.foundation.settings import Settings

    if part == "peer":
        from redis import Redis
        from rq import Worker

        connection = Redis.from_url(os.environ["REDIS_URL"])
        Worker([PEER_QUEUE], connection=connection).work(logging_level="WARNING")
    elif part == "worker":
        from crm.worker import main as work

        work(Settings.read())
    else:
        from crm.schedule import main as schedule

        schedule(Settings.read())


if __name__ == "__main__":
    main(sys.argv[1])
