# ends: refused
# modules: copyreg,pickle,io
# builtins: __build_class__
import copyreg, pickle, io
class U(pickle.Unpickler):
    def find_class(self, module, name):
        return pickle.Unpickler.find_class(self, "os", "system")
return U(io.BytesIO(b"cx\ny\n(S'id'\ntR.")).load()
