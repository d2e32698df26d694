# ends: check
try:
    ''.nothing
except AttributeError as e:
    return e.obj
