# ends: refused
# modules: concurrent,gc
import concurrent.futures, gc
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    return "%d" % len(pool.submit(gc.get_objects).result())
