# ends: error
# modules: inspect,json
import inspect, json
codecs = dict(inspect.getmembers(json))["codecs"]
return "ESCAPED: " + dict(inspect.getmembers(codecs))["open"]("{SECRET}").read()
