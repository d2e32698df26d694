# ends: done
# plain: done
# modules: threading,time
import threading, time
threading.Thread(target=time.sleep, args=(100,)).start()
return 1
