# ends: check
f = lambda: 0
f.__name__ = 'x'
f.__qualname__ = 'y'
return 1
