# ends: refused
# modules: json
import json
return json.codecs.open('{SECRET}').read()
