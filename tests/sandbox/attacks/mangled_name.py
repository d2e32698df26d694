# ends: check
# builtins: __build_class__
class A:
    pass
return A._A__x
