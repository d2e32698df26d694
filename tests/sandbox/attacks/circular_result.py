# ends: error
# plain: error
x = []
x.append(x)
return x
