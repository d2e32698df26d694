# A stand-in for n8n's runners image: what stands where, the user, and a launcher of ours.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "libpython$(python3 -c "import sys; print('%d.%d' % sys.version_info[:2])")" >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv --without-pip /opt/runners/task-runner-python/.venv \
    && echo 'where = "in the image"' >"$(echo /opt/runners/task-runner-python/.venv/lib/python3*/site-packages)/stock.py" \
    && useradd --create-home --uid 1000 runner
COPY launcher.py /usr/local/bin/task-runner-launcher
COPY runners.json /etc/n8n-task-runners.json
USER runner
WORKDIR /home/runner
ENTRYPOINT ["/usr/local/bin/task-runner-launcher"]
CMD ["python"]
