# ends: error
# plain: error
# builtins: __build_class__
class E(Exception):
    def __str__(self):
        raise E()
raise E()
