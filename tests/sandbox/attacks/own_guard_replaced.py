# ends: safe
# modules: json
# builtins: globals
import json
globals()["__built" + "".join(["ins__"])][".guard"] = lambda value: value
opened = json.codecs.open("{SECRET}")
return "ESCAPED: " + opened.read()
