# ends: killed
# plain: killed
return 10 ** (10 ** 9)
