# ends: check
return (lambda: 0).__globals__
