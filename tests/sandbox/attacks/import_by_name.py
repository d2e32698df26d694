# ends: refused
# modules: importlib
import importlib
return importlib.import_module('o' + 's').system('id')
