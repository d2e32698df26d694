# ends: refused
# modules: json
# builtins: getattr
import json
space = getattr(json, "".join(["__built", "ins__"]))
return "ESCAPED: " + space["open"]("{SECRET}").read()
