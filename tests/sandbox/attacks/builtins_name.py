# ends: check
return __builtins__['open']
