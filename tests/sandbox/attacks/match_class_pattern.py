# ends: check
match [].append:
    case str(__self__=x):
        return x
    case _:
        return 0
