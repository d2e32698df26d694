# ends: refused
# builtins: eval
return eval('__imp' + 'ort__("os").system("id")')
