# ends: refused
# modules: pydoc
import pydoc
return pydoc.locate('os.system')('id')
