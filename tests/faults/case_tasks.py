"""Each call on the paths of a task fails once in turn: the task ends as it should or with an error, or the
runner's processes end and are replaced, or the runner ends with a line; the next task is served."""
from harness import case
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
