# ends: safe
# plain: any
# modules: io
import io
found = []
for number in range(3, 64):
    try:
        found.append(io.FileIO(number, "r", closefd=False).read(10))
    except OSError:
        pass
return "ESCAPED: %s" % found if found else "nothing"
