# ends: refused
# plain: error
# modules: multiprocessing
import multiprocessing
p = multiprocessing.get_context("fork").Process(target=print)
p.start()
return "ESCAPED: started"
