# ends: done
# plain: done
for i in range(100000):
    print('x' * 1000)
return 1
