# ends: refused
# modules: pickle,json
import pickle
return pickle.loads(b'\x80\x04\x8c\x04json\x8c\x0bcodecs.open\x93.')
