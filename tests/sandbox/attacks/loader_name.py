# ends: check
return __loader__
