# ends: refused
# builtins: getattr
name = "".join(["__", "class", "__"])
cls = getattr((), name)
for sub in getattr(getattr(cls, "".join(["__ba", "se__"])), "".join(["__sub", "classes__"]))():
    init = getattr(sub, "".join(["__in", "it__"]))
    space = getattr(init, "".join(["__glo", "bals__"]), None)
    if space and "system" in space and "popen" in space:
        return "ESCAPED: a shell" if space["system"]("id") == 0 else "no shell"
return "nothing found"
