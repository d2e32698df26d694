# ends: refused
# modules: sys
import sys
sys.setprofile(lambda *a: None)
return 'profiles'
