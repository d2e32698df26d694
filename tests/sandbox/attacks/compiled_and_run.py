# ends: refused
# builtins: exec,compile
exec(compile('import os', 'x', 'exec'))
return 1
