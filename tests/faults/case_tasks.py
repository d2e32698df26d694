"""Each call on the paths of a task fails once in turn: the task ends as it should or with an error, or the
runner's processes end and are replaced, or the runner ends with a line; the next task is served.

By design, a small allocation that fails ends the process that made it: the host's end is its line and an exit
code that is not 0, and the zygote's and a child's are survived by the host. What is as large as a payload is an
error of its task, or, on its way in, where no task is known yet, the end of the connection."""
import errno
import itertools

from control import KINDS, SCOPES, SHORT, Lane
from harness import case
from sequence import Served
from sweep import sweep_tasks

MOST = 250  # calls of one kind that fail; where there are more, a sample does


@case
def when_a_call_of_the_host_fails(build):
    sweep_tasks(build, "host", "ours", MOST)


@case
def when_a_call_of_a_library_in_the_host_fails(build):
    sweep_tasks(build, "host", "theirs", MOST)


@case
def when_a_call_of_the_zygote_fails(build):
    sweep_tasks(build, "zygote", "ours", MOST)
    sweep_tasks(build, "zygote", "theirs", MOST)


@case
def when_a_call_of_a_child_fails(build):
    sweep_tasks(build, "child", "ours", MOST)


@case
def when_a_call_of_a_library_in_a_child_fails(build):
    sweep_tasks(build, "child", "theirs", MOST)


@case
def when_all_reads_and_writes_are_short_or_interrupted(build):
    with Served(Lane(build, "0")) as served:
        for kind in KINDS:
            for scope in SCOPES:
                for call, how in itertools.product(("read", "write"), (errno.EINTR, SHORT)):
                    served.lane.arm(kind, scope, call, how, 0)
                    ends = served.sequence() + served.sequence()
                    assert set(ends) == {"right"}, (kind, scope, call, how, ends)
                    served.check()
