# ends: refused
# modules: operator,json
import operator, json
codecs = operator.attrgetter("".join(["cod", "ecs"]))(json)
return "ESCAPED: " + operator.methodcaller("open", "{SECRET}")(codecs).read()
