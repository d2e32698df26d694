# ends: refused
# modules: pkgutil
import pkgutil
return pkgutil.resolve_name('os:system')('id')
