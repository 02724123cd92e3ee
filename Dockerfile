# syntax=docker/dockerfile:1
# One image for every node; nothing in it but Python, libopus, the libraries and the built pages. Runs as no one special.
ARG PYTHON=3.11
ARG NODE=22

FROM node:${NODE}-bookworm-slim AS node

# --- the libraries, apart from our own code, so that a change of ours does not fetch them anew
FROM python:${PYTHON}-slim-bookworm AS libraries
WORKDIR /src
RUN python -m venv /opt/poc
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > needed.txt \
    && /opt/poc/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt -r needed.txt

# --- our own packages
FROM libraries AS packages
# The native fan-out is built where there is a compiler; without it voice costs the server twice as much.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . .
# `-P`: what was installed is looked at, not the sources in this folder.
RUN /opt/poc/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
    && /opt/poc/bin/python -P -c "import poc_server.media._native" \
    && /opt/poc/bin/python -m compileall -q /opt/poc/lib

# --- the pages; their types are made from the server's models
FROM libraries AS pages
COPY --from=node /usr/local/bin/ /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules/ /usr/local/lib/node_modules/
COPY web/package.json web/package-lock.json web/
RUN cd web && npm ci --no-audit --no-fund
COPY groups groups
COPY signaling signaling
COPY web web
RUN cd web && PYTHON=/opt/poc/bin/python npm run build

# --- what runs
FROM python:${PYTHON}-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libopus0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin poc \
    && install --directory --owner=poc --group=poc --mode=0700 /data-keys
COPY --from=packages /opt/poc /opt/poc
COPY --from=pages /src/web/dist /opt/poc/pages
ENV PATH=/opt/poc/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    POC_SERVER__DATA=/data \
    POC_SERVER__PAGES=/opt/poc/pages \
    POC_MEDIA__PORT=40000
USER poc
WORKDIR /data
# Beside the data stands the key that signs evidence (recording.evidence_key).
VOLUME /data /data-keys
EXPOSE 8080/tcp 40000/udp
# Looks at this process alone: a database that is away is no reason to restart voice.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["poc-server"]
CMD ["serve"]
