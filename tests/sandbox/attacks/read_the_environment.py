# ends: safe
# modules: os
import os
found = [k for k in os.environ if "N8N" in k or "TOKEN" in k]
return "ESCAPED: %s" % dict(os.environ) if found else "nothing"
