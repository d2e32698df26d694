# Two images, for linux/amd64 and linux/arm64; README.md shows them at work.
#
#   docker build -t task-runner-python .                            the runner, for use beside n8n
#   docker build -t n8n-runners --target overlay .                  n8n's own image with this runner in it
#
# The Python that is embedded; any Debian image will do, with a Python of its own or without.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
# n8n's own runners: the launcher comes from there, and the overlay goes on top of it.
ARG RUNNERS_IMAGE=n8nio/runners:latest
# The Python in that image, with what it takes to build.
ARG RUNNERS_PYTHON_IMAGE=python:3.13-alpine

FROM ${RUNNERS_IMAGE} AS runners

# ---- the overlay ----

FROM ${RUNNERS_PYTHON_IMAGE} AS overlay-build
WORKDIR /src
COPY runner/install-deps runner/
COPY pyvenv/find-python pyvenv/
RUN runner/install-deps
COPY . .
ARG LIBRARY=/usr/local/lib/task-runner-python
RUN make OPTIMIZE=-O2 LDFLAGS=-Wl,--disable-new-dtags,-rpath,${LIBRARY}/lib install DESTDIR=/overlay
# It stands where the interpreter stood, so that the launcher's configuration stays as it is.
ARG RUNNERS_VENV=/opt/runners/task-runner-python/.venv
RUN --mount=type=bind,from=runners,target=/runners \
    runner/bring-libraries /runners /overlay${LIBRARY}/lib /overlay${LIBRARY}/task-runner-* \
    && ln -s ${RUNNERS_VENV} /overlay${LIBRARY}/venv \
    && mkdir -p /overlay${RUNNERS_VENV}/bin \
    && ln -s ${LIBRARY}/task-runner-python /overlay${RUNNERS_VENV}/bin/python

FROM runners AS overlay
COPY --from=overlay-build /overlay/ /

# ---- the image ----

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY runner/install-deps runner/
COPY pyvenv/find-python pyvenv/
RUN runner/install-deps
COPY Makefile extras.txt ./
COPY pyvenv pyvenv
RUN make OPTIMIZE=-O2 venv
COPY . .
RUN make OPTIMIZE=-O2 install DESTDIR=/image \
    && runner/runtime-packages /image >/runtime-packages

FROM ${PYTHON_IMAGE}
# A Python that was built from source comes without compiled modules, and no task may write any.
RUN --mount=type=bind,from=build,source=/runtime-packages,target=/mnt/runtime-packages \
    export DEBIAN_FRONTEND=noninteractive \
    && apt-get update -qq \
    && xargs apt-get install -y -qq --no-install-recommends ca-certificates tini </mnt/runtime-packages \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/*.log \
    && if [ -x /usr/local/bin/python3 ]; then \
        /usr/local/bin/python3 -I -m compileall -q \
            -x '/(site-packages|test|idlelib|tkinter|turtledemo|ensurepip|config-[^/]*)/' /usr/local/lib/python3.*; \
    fi \
    && rm -rf /usr/local/include/python3* \
    && useradd --create-home --uid 1000 runner \
    && ln -s task-runners.json /etc/n8n-task-runners.json
COPY --from=runners /usr/local/bin/task-runner-launcher /usr/local/bin/
COPY --from=build /image/ /
# The launcher's default is /etc/n8n-task-runners.json, n8n's documentation says /etc/task-runners.json.
COPY n8n-task-runners.json /etc/task-runners.json

USER runner
WORKDIR /home/runner
EXPOSE 5680
ENTRYPOINT ["tini", "--", "/usr/local/bin/task-runner-launcher"]
CMD ["python"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/usr/local/lib/task-runner-python/venv/bin/python", "-I", "-c", "\
import http.client, os, sys; \
port = int(os.environ.get('N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT') or 5680); \
launcher = http.client.HTTPConnection('127.0.0.1', port, timeout=4); \
launcher.request('GET', '/healthz'); \
sys.exit(launcher.getresponse().status != 200)"]

ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="task-runner-python" \
      org.opencontainers.image.description="Runs the Python of n8n's Code node: n8n's launcher, and a runner in C that embeds CPython" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
