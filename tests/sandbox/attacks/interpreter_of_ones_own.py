# ends: safe
# modules: _xxsubinterpreters,_interpreters
try:
    import _xxsubinterpreters as i
except ImportError:
    import _interpreters as i
i.create()
return "made"
