# ends: refused
# modules: json
from json import codecs
return codecs.open('{SECRET}').read()
