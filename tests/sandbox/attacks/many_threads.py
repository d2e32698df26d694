# ends: killed
# plain: killed
# modules: threading,time
import threading, time
made = 0
try:
    for i in range(100000):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        made += 1
except RuntimeError:
    pass
time.sleep(5)
return "ESCAPED: %d" % made
