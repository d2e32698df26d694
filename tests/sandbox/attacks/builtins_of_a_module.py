# ends: error
# modules: json
# builtins: vars
import json
space = vars(json)["".join(["__built", "ins__"])]
return "ESCAPED: " + space["open"]("{SECRET}").read()
