# ends: done
# plain: done
# modules: builtins
import builtins
builtins.len = lambda x: 'ESCAPED'
builtins.dict = builtins.str = builtins.print = None
return 1
