# ends: safe
# builtins: exec
space = {"__built" + "".join(["ins__"]): {}}
exec("import os\nos.system('id')", space)
return "ESCAPED: exec"
