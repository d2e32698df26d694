# ends: safe
# modules: typing
import typing
def f(x: "open('{SECRET}').read()"):
    pass
return "ESCAPED: %s" % typing.get_type_hints(f)
