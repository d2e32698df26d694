"""Owns how a drawing is written: a self-contained SVG on white, whatever the page around it."""
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"
INK, FAINT = "#1f2933", "#667380"


class Drawing:
    def __init__(self, width, height, title):
        self.parts = [
            '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="%s"'
            ' role="img">' % (width, height, width, height, FONT),
            "<title>%s</title>" % escape(title)]
        self.rect(0, 0, width, height, "#ffffff")

    def add(self, name, content=None, **attributes):
        """An element; `_` in an attribute's name is its `-`, and one at the end is dropped."""
        text = "".join(" %s=%s" % (key.rstrip("_").replace("_", "-"), quoteattr(
            "%.4g" % value if isinstance(value, float) and abs(value) < 1 else
            "%.1f" % value if isinstance(value, float) else str(value))) for key, value in attributes.items())
        self.parts.append("<%s%s/>" % (name, text) if content is None else "<%s%s>%s</%s>" % (
            name, text, content, name))

    def rect(self, x, y, width, height, fill, hover=None, **attributes):
        self.add("rect", hover and "<title>%s</title>" % escape(hover), x=x, y=y, width=width, height=height,
                 fill=fill, **attributes)

    def line(self, x1, y1, x2, y2, stroke, **attributes):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **attributes)

    def path(self, points, stroke, **attributes):
        self.add("polyline", points=" ".join("%.1f,%.1f" % point for point in points), fill="none",
                 stroke=stroke, **attributes)

    def dot(self, x, y, radius, fill, hover=None, **attributes):
        self.add("circle", hover and "<title>%s</title>" % escape(hover), cx=x, cy=y, r=radius, fill=fill,
                 **attributes)

    def text(self, x, y, text, size=12, fill=INK, **attributes):
        self.add("text", escape(text), x=x, y=y, font_size=size, fill=fill, **attributes)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([*self.parts, "</svg>"]) + "\n")
