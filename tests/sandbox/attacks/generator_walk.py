# ends: check
def walk():
    yield g.gi_frame.f_back.f_back
g = walk()
return [f.f_globals for f in g]
