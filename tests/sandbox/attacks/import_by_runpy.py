# ends: error
# modules: runpy
import runpy
return runpy.run_path('{SECRET}')
