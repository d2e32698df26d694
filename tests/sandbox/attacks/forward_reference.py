# ends: error
# modules: typing
import typing
return "ESCAPED: %s" % typing.ForwardRef("open('{SECRET}').read()")._evaluate({}, {}, frozenset())
