# ends: check
match 1:
    case int(x):
        return x
