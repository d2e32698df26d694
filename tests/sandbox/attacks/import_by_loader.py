# ends: error
# modules: importlib
import importlib.machinery
loader = importlib.machinery.SourceFileLoader("secret", "{SECRET}")
return "ESCAPED: %s" % loader.get_data("{SECRET}")
