# ends: refused
# modules: types
# builtins: getattr
import types
f = lambda: 0
return types.FunctionType(getattr(f, ''.join(['__co', 'de__'])), {})
