# ends: refused
# modules: pickle
import pickle
return pickle.loads(b"cbuiltins\neval\n(S'1'\ntR.")
