# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads reports as a browser does: sound, alone, escaped, bounded, with the figures that the
pictures and scores of write-report.c lead to.

report.py WRITE-REPORT
"""
import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

WRITE = sys.argv[1]
NAMES = ['<b>cat</b> & "dog"', "o'neill\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}",
         "ünder %s %n"]
SECTIONS = ["models", "data", "classes", "gate", "curves", "confusion", "calibration", "mistakes", "windows"]
RETRAINED = ["training", "maps", "settings"]
PARTS = {"retrained": RETRAINED, "contours": ["figures", "maps"],
         "style": ["figures", "pictures", "training"], "both": SECTIONS + RETRAINED}
MISSING = {"single": {"data", "windows"}, "large": {"data", "gate"}}

failures = []


def expect(kind, what, found, expected):
    if found != expected:
        failures.append(f"{kind}: {what}: expected {expected!r}, found {found!r}")


def write(kind, path):
    subprocess.run([WRITE, kind, path], check=True, timeout=120)
    return pathlib.Path(path).read_text(encoding="utf-8")


def text(element):
    return "".join(element.itertext())


class Html(html.parser.HTMLParser):
    """What HTML's own rules make of it: void elements and scripts."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            failures.append(f"</{tag}> closes something else")


def check_alone(kind, page, root):
    """Nothing is loaded from elsewhere, nothing runs."""
    parsed = Html(page)
    expect(kind, "open elements", parsed.open, [])
    expect(kind, "elements that load or run", parsed.seen & {"script", "link", "iframe", "img", "object"},
           set())
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in ("href", "src") and not re.match(r"#[a-z]+$|data:image/jpeg;base64,", value):
                failures.append(f"{kind}: {element.tag} leads to {value[:60]}")
            if name.startswith("on"):
                failures.append(f"{kind}: {element.tag} has {name}")
    style = text(root.find("head/style"))
    expect(kind, "what the style loads", re.findall(r"@import|url\(|http", style), [])
    expect(kind, "light and dark", "prefers-color-scheme: dark" in style, True)
    metas = {meta.get("name"): meta.get("content") for meta in root.iter("meta")}
    expect(kind, "viewport", metas.get("viewport"), "width=device-width, initial-scale=1")


def check_parts(kind, root, sections):
    expect(kind, "sections", [section.get("id") for section in root.iter("section")], sections)
    expect(kind, "links", [link.get("href") for link in root.iter("a")],
           ["#" + section for section in sections])


def check_drawings(kind, root):
    """Points lie within their drawings."""
    for svg in root.iter("svg"):
        width, height = map(float, svg.get("viewBox").split()[2:])
        for circle in svg.iter("circle"):
            x, y = float(circle.get("cx")), float(circle.get("cy"))
            if not (0 <= x <= width and 0 <= y <= height):
                failures.append(f"{kind}: a point at {x}, {y} of {width} × {height}")
    if re.search(r"\bnan\b|\binf\b", " ".join(" ".join(e.attrib.values()) for e in root.iter()
                                              if e.tag in ("path", "rect", "circle", "td"))):
        failures.append(f"{kind}: a number that is none")


def rows(root, section):
    table = root.find(f".//section[@id='{section}']//table")
    return [[text(cell) for cell in row] for row in table.find("tbody")]


def check_several(root):
    # By hand from the scores: of class 0 the pictures rank 1, 2, 3, 4, of which 1 and 3 have it.
    expect("several", "classes", rows(root, "classes"), [
        [NAMES[0], "2", "0.333", "0.833", "0.833", "0.500", "0.500", "1.000", "0.667"],
        [NAMES[1], "2", "0.333", "1.000", "1.000", "0.500", "1.000", "1.000", "1.000"],
        [NAMES[2], "3", "0.500", "0.833", "0.833", "0.750", "1.000", "0.667", "0.800"],
    ])
    expect("several", "errors", rows(root, "confusion"), [
        [NAMES[0], "", "", "", "2"],
        [NAMES[1], "1", "", "", "2"],
        [NAMES[2], "", "", "1", "3"],
        ["no class", "1", "", "", "1"],
    ])
    expect("several", "gate", text(root.find(".//section[@id='gate']/p")), "The gate keeps 6 of 6 "
           "correct tags and withholds 1 of 3 wrong ones: 33.3 wrong tags per 100 pictures with it, "
           "50.0 without.")
    expect("several", "kinds of gate", rows(root, "gate"),
           [["cosine, used", "0.750", "0.900", "0.825"], ["nearest", "0.800", "–", "0.800"]])
    models = [row[0] for row in rows(root, "models")]
    expect("several", "models", models,
           ["net <1>", "ensemble without windows", "ensemble with windows"])
    mistakes = root.find(".//section[@id='mistakes']")
    expect("several", "mistakes", [text(v) for v in mistakes.iter("p") if v.get("class") == "verdict"],
           [f"Predicted {NAMES[0]}0.80", f"Predicted {NAMES[0]}0.60", f"Missed {NAMES[2]}0.10"])
    windows = root.findall(".//section[@id='windows']//article")
    expect("several", "windows", len(windows), 7)
    frame = windows[0].findall(".//rect")[-1]
    expect("several", "a window", [frame.get(k) for k in ("x", "y", "width", "height")],
           ["64.0", "60.0", "128.0", "30.0"])  # of 256 × 120
    data = root.find(".//section[@id='data']")
    findings = [text(finding.find("p")) for finding in data.findall("article")]
    expect("several", "findings", findings,
           ["2 of the <6> pictures are small.", "Some classes are rare."])
    expect("several", "what they show", [text(p) for p in data.iterfind(".//article/div/article/div/p")],
           ["0×9 <pixels>", '<img src="x0">.jpg', "1×9 <pixels>", '<img src="x1">.jpg'])
    expect("several", "notes", [text(note) for note in data.iterfind("ul/li")],
           ["set: left out <hidden> files: 2"])
    alarms = [text(p) for p in root.findall(".//section[@id='classes']/p")][-1]
    expect("several", "false alarms", alarms, "False alarms: 1 of the 1 pictures that show none of "
           "the classes are reported as one (100.0 %) without the gate, 0 with it (0.0 %).")
    expect("several", "title", text(root.find("head/title")), "six </title> on the test split")


def check_single(root):
    expect("single", "confusion", rows(root, "confusion"), [
        [NAMES[0], "1", "", "1", "2"],
        [NAMES[1], "", "1", "", "1"],
        [NAMES[2], "1", "", "1", "2"],
    ])
    expect("single", "models", [row[0] for row in rows(root, "models")],
           ["net <1>", "ensemble without windows"])
    expect("single", "measured on", text(root.find(".//header/p")), "Measured on 6 pictures of the test "
           "split, which show 3 classes; 2 more could not be read; cross-fitted: all settings were chosen "
           "on other pictures.")
    alarms = [text(p) for p in root.findall(".//section[@id='classes']/p")][-1]
    expect("single", "false alarms", alarms, "False alarms: 1 of the 1 pictures that show none of "
           "the classes are reported as one (100.0 %) without the gate.")
    expect("single", "accuracy", rows(root, "models")[-1][2], "0.600")


def check_large(page, root):
    expect("large", "below three megabytes", len(page) < 3e6, True)
    expect("large", "charts", len(root.findall(".//section[@id='curves']//figure")), 36)
    expect("large", "classes", len(rows(root, "classes")), 80)
    expect("large", "pairs", len(rows(root, "confusion")), 40)
    expect("large", "pictures", len(root.findall(".//image")), 40)


def check_retrained(root):
    expect("retrained", "title", text(root.find("head/title")), "<new>.onnx, retrained")
    expect("retrained", "epochs", rows(root, "training"), [
        ["1", "0.3", "0.5", "0.25", "0.5", "0.01"],
        ["2", "0.2", "0.75", "0.2", "0.75", "0.008"],
        ["3", "0.1", "–", "–", "–", "0.004"],
        ["4", "0.05", "1", "0.3", "0.5", "0.001"],
    ])
    charts = root.findall(".//section[@id='training']//figure")
    expect("retrained", "charts", [text(chart.find("figcaption")) for chart in charts],
           ["Loss", "Accuracy", "Learning rate"])
    # The axis ends at 0.4: 0.3 is a quarter below its top. The third epoch was not measured.
    training, validation = [re.findall(r"[ML][\d. ]+", group.find("path").get("d"))
                            for group in charts[0].iter("g")]
    expect("retrained", "loss", (training[0], training[3]), ("M64.0 53.0", "L292.0 165.5"))
    expect("retrained", "a gap", [point[0] for point in validation], ["M", "L", "M"])
    cards = root.findall(".//section[@id='maps']//article")
    expect("retrained", "maps", [[text(p) for p in card.iter("p")] for card in cards], [
        [f"{NAMES[0]}0.10 – 0.60", "the peak lies in the box", "<b>0.jpg"],
        [f"{NAMES[2]}0.10 – 0.60", "the peak lies outside the box", "<b>2.jpg"],
    ])
    ring, box = cards[0].findall(".//circle")[-1], cards[0].findall(".//rect")[-1]
    expect("retrained", "the peak", [ring.get(k) for k in ("cx", "cy")],
           ["240.0", "112.5"])  # of 320 × 150
    expect("retrained", "the box", [box.get(k) for k in ("x", "y", "width", "height")],
           ["160.0", "75.0", "160.0", "75.0"])
    settings = dict(rows(root, "settings"))
    expect("retrained", "settings", (settings["network"], settings["freeze"], settings["batch-size"]),
           ("<net>.onnx", "nothing", "16"))


def check_contours(root):
    expect("contours", "title", text(root.find("head/title")), "<new>.onnx, contours")
    expect("contours", "figures", rows(root, "figures"), [
        ["network", "–", "0.700", "0.800", "0.600", "0.45"],
        ["Canny", "3 px", "0.600", "0.500", "0.700", "0.30"],
        ["gradient", "1.5 px", "0.500", "0.400", "0.650", "0.20"],
    ])
    cards = root.findall(".//section[@id='maps']//article")
    expect("contours", "pictures", [[text(p) for p in card.iter("p")] for card in cards],
           [["<b>0.jpg"], ["<b>1.jpg"]])


def check_style(root):
    expect("style", "title", text(root.find("head/title")), "<new>.onnx, a style")
    expect("style", "figures", rows(root, "figures"), [
        ["as they are", "2.00", "0.500"], ["mean and variance", "1.00", "0.600"],
        ["low frequencies (FDA)", "1.50", "–"], ["batch normalisation (AdaBN)", "–", "0.400"],
        ["the style", "0.50", "0.750"]])
    expect("style", "judgement", text(root.find(".//section[@id='figures']/p")),
           "The style does more than what is simpler, at best mean and variance: accuracy 60.0 %, the style "
           "75.0 %.")
    expect("style", "pictures", len(root.findall(".//section[@id='pictures']//article")), 5)
    expect("style", "terms", len(root.findall(".//section[@id='training']//figure")), 8)


with tempfile.TemporaryDirectory() as folder:
    for kind, check in ("several", check_several), ("single", check_single), ("lost", None), \
            ("large", None), ("retrained", check_retrained), ("contours", check_contours), \
            ("style", check_style), \
            ("both", check_several):
        path = pathlib.Path(folder) / f"{kind}.html"
        page = write(kind, path)
        expect(kind, "the same again", write(kind, path) == page, True)
        root = xml.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
        check_alone(kind, page, root)
        check_parts(kind, root, PARTS.get(kind) or [s for s in SECTIONS if s not in MISSING.get(kind, ())])
        check_drawings(kind, root)
        if check:
            check(root)
        if kind == "lost":
            expect(kind, "pictures", len(root.findall(".//image")), 0)
        if kind == "large":
            check_large(page, root)
    refused = subprocess.run([WRITE, "several", f"{folder}/nowhere/x.html"], capture_output=True,
                             text=True, timeout=120)
    expect("nowhere", "exit status", refused.returncode, 1)
    expect("nowhere", "names the file", "nowhere/x.html" in refused.stderr, True)
print("\n".join(failures))
sys.exit(1 if failures else 0)
