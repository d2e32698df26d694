# ends: killed
# plain: killed
while True:
    pass
