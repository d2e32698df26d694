# ends: error
# plain: error
raise ValueError('x' * (1 << 28))
