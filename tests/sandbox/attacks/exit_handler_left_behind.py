# ends: done
# plain: done
# modules: atexit,time
import atexit, time
atexit.register(time.sleep, 100)
return 1
