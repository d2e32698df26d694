# The runner and its Python, for use beside n8n. The packages of extras.txt are baked in.
#
#   docker build -t task-runner-python .
#   docker run -e N8N_RUNNERS_TASK_BROKER_URI=http://n8n:5679 -e N8N_RUNNERS_AUTH_TOKEN=... task-runner-python
FROM debian:bookworm-slim AS build
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends make gcc libc6-dev pkg-config python3-dev \
        python3-venv libwebsockets-dev libcjson-dev libssl-dev ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/task-runner-python
COPY . .
RUN make build venv && rm -rf build/obj

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends python3-minimal libpython3.11 libwebsockets17 \
        libcjson1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 1000 runner
COPY --from=build /opt/task-runner-python/build/task-runner-python \
    /opt/task-runner-python/build/task-runner-zygote /opt/task-runner-python/build/
COPY --from=build /opt/task-runner-python/build/venv /opt/task-runner-python/build/venv
USER runner
ENTRYPOINT ["/opt/task-runner-python/build/task-runner-python"]
