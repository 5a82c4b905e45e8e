# One image for web, worker, scheduler and migrate: the command says which.
# What it runs while being built are targets of the Makefile, so that a laptop can check them without an engine.

FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN make image-build VENV=/opt/freehold PYTHON=python3.12

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/freehold --create-home freehold
COPY --from=build /opt/freehold /opt/freehold
ENV PATH=/opt/freehold/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FREEHOLD_DATA_DIR=/var/lib/freehold
USER 10001
WORKDIR /var/lib/freehold
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["freehold", "serve", "--host", "0.0.0.0"]
