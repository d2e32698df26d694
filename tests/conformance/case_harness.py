"""What the cases stand on, where it could let them hang or see what is not there."""
import os
import tempfile

from harness import LIMIT, Broker, case

KILLED_WHILE_IT_WROTE = """#!/bin/sh
echo '{"event": "listening", "port": 1}'
printf '{"event": "done", "taskId": "t'
"""


@case
def a_broker_killed_in_the_middle_of_an_event_has_ended(build):
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "demo-broker")
        with open(program, "w") as script:
            script.write(KILLED_WHILE_IT_WROTE)
        os.chmod(program, 0o755)
        broker = Broker(folder)
        assert broker.events.get(timeout=LIMIT) is None
        broker.stop()
