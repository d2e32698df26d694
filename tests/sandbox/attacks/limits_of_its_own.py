# ends: safe
# modules: resource
import resource
try:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return "ESCAPED: may set limits"
except (OSError, ValueError):
    return "nothing"
