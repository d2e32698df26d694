# ends: refused
# modules: sys
import sys
return sys._current_frames()
