# ends: safe
# modules: traceback
# builtins: getattr
import traceback
try:
    1 / 0
except Exception as e:
    return [str(f) for f in traceback.walk_tb(getattr(e, "".join(["__trace", "back__"])))]
