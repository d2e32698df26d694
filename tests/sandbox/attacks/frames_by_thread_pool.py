# ends: refused
# modules: concurrent,sys
import concurrent.futures, sys
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    return "%s" % pool.submit(sys._current_frames).result()
