# ends: error
# plain: error
def f():
    return f()
return f()
