# SPDX-License-Identifier: LGPL-2.1-or-later
"""Uses the page of watch as a person does, in Chromium: browser.py TOOL DRAW-SCENES NETWORKS.json

Looks at live picture, tags, chart and events, labels ten frames, trains, and sees the tags of the new
model; light and dark, wide and as narrow as a telephone. WATCH_SCREENSHOTS=FOLDER keeps pictures of the
page. Skipped without Debian's chromium, chromium-driver and python3-selenium.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

import watching

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    watching.skip("no python3-selenium")
DRIVER = shutil.which("chromedriver")
if not DRIVER or not shutil.which("chromium"):
    watching.skip("no chromium-driver")

TOOL, DRAW, NETWORKS = (str(pathlib.Path(path).absolute()) for path in sys.argv[1:])
SCREENSHOTS = os.environ.get("WATCH_SCREENSHOTS")
HIDDEN_CLASS = "flower"  # of which the first model knows nothing
LABELS = 10
WIDE, NARROW = (1280, 900), (390, 844)

CONFIG = """[watch]
model=site.ensemble
[page]
port={port}
[classify]
inference-period=200000000
[record]
classes=car;house
[collect]
folder=collected
[train]
dataset=set
arguments=--networks={networks} --cache=features
[camera yard]
uri=file://{folder}/clip.webm
[camera gate]
uri=file://{folder}/nothing.webm
"""

# The least contrast, as WCAG 2 defines it, of the texts that a selector chooses, and where it is.
CONTRAST = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  const colour = parse(getComputedStyle(element).backgroundColor);
  return colour.length < 4 || colour[3] > 0 ? colour.slice(0, 3) : behind(element.parentElement);
};
const contrasts = [...document.querySelectorAll(arguments[0])].filter((e) => e.offsetParent).map((e) => {
  const lights = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(behind(e))].sort((a, b) => b - a);
  return [(lights[0] + 0.05) / (lights[1] + 0.05), e.outerHTML];
});
return contrasts.sort((a, b) => a[0] - b[0])[0];
"""
# A number that tells pictures apart, and how many of the pixels are not all the same.
PIXELS = """
const source = document.getElementById(arguments[0]);
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [160, 90];
const context = canvas.getContext("2d");
context.drawImage(source, 0, 0, 160, 90);
const values = context.getImageData(0, 0, 160, 90).data;
let sum = 0, others = 0;
for (let i = 0; i < values.length; i += 4) {
  sum = (sum * 31 + values[i] + 3 * values[i + 1] + 7 * values[i + 2]) % 1000003;
  others += values[i] !== values[0] || values[i + 3] !== values[3];
}
return [sum, others];
"""


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)


def prepare(folder):
    """A data set, a clip, and a bundle that lacks a class of the data set."""
    run(DRAW, "set", folder / "set", "--train=8", "--validation=5", "--test=1", "--size=120")
    run(DRAW, "clip", folder / "clip.webm", folder / "truth.csv", "--seconds=8", "--rate=15", "--width=320",
        "--height=180")
    hidden = [path for path in (folder / "set").glob(f"*/{HIDDEN_CLASS}")]
    for path in hidden:
        path.rename(folder / f"{path.parent.name}-hidden")
    run(TOOL, "train", f"--networks={NETWORKS}", f"--cache={folder}/features", "-o", folder / "site.ensemble",
        folder / "set")
    for path in hidden:
        (folder / f"{path.parent.name}-hidden").rename(path)


def start_watch(folder, port=0):
    (folder / "watch.conf").write_text(CONFIG.format(port=port, networks=NETWORKS, folder=folder))
    return watching.Watch(TOOL, folder / "watch.conf", subprocess.DEVNULL)


def open_browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    return webdriver.Chrome(options=options, service=service)


class Page:
    def __init__(self, browser):
        self.browser = browser

    def find(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector)[0].text

    def wait(self, what, condition, seconds=90):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.picture("failed")
                sys.exit(f"waited {seconds} s in vain: {what}; the page says: {self.text('body')}")
            time.sleep(0.1)

    def wait_for_text(self, selector, part, seconds=90):
        self.wait(f"“{part}” in {selector}", lambda: part in self.text(selector), seconds)

    def look(self, size, scheme):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == NARROW})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def picture(self, name, place="body"):
        if SCREENSHOTS:
            self.browser.execute_script("arguments[0].scrollIntoView()", self.find(place)[0])
            time.sleep(0.5)
            self.browser.save_screenshot(f"{SCREENSHOTS}/{name}.png")

    def pixels(self, name):
        return self.browser.execute_script(PIXELS, name)

    def check_console(self):
        bad = [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert not bad, bad


def check_camera(page):
    """Live picture with its overlay, tags, chart, events."""
    page.wait_for_text("#camera-state", "playing")
    page.wait("a live picture", lambda: page.pixels("live")[1] > 1000)
    first = page.pixels("live")[0]
    page.wait("another picture", lambda: page.pixels("live")[0] != first)
    page.wait("tags", lambda: len(page.find("#tags .tag")) > 3)
    page.wait("a curve", lambda: page.find("#legend li") and page.pixels("chart")[1] > 100)
    page.wait_for_text("#events", "appeared")
    page.wait_for_text("#clips", "MB")
    assert HIDDEN_CLASS not in page.text("#tags")


def check_looks(page):
    """Nothing is wider than the screen, and all can be read, in every look."""
    backs = set()
    for name, size, scheme in [("light", WIDE, "light"), ("dark", WIDE, "dark"),
                               ("telephone", NARROW, "light"), ("telephone-dark", NARROW, "dark")]:
        page.look(size, scheme)
        width = page.browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= size[0], f"{name}: {width} pixels wide"
        lowest, where = page.browser.execute_script(
            CONTRAST, "h2, p, button, .quiet, time, a, figcaption, #tags span")
        assert lowest >= 4.5, f"{name}: contrast of {where} is {lowest:.1f}"
        backs.add(page.browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        page.picture(name)
    assert len(backs) == 2, backs
    page.look(WIDE, "light")


def check_camera_that_is_gone(page):
    page.find("#cameras button")[1].click()
    page.wait_for_text("#camera-state", "waiting")
    page.wait_for_text("#camera-state", "nothing.webm")
    page.picture("gone")
    page.find("#cameras button")[0].click()
    page.wait_for_text("#camera-state", "playing")


def count_files(folder):
    return len(list(folder.glob("set/train/*/20*.jpg")))


def label(page, by_keyboard):
    frame = page.find("#collected figure")[0]
    picture = frame.get_attribute("data-picture")
    button = (frame.find_elements(By.CSS_SELECTOR, ".suggested") or
              frame.find_elements(By.CSS_SELECTOR, ".labels button"))[0]
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    if by_keyboard:
        page.browser.execute_script("arguments[0].focus()", button)
        page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    else:
        button.click()
    page.wait("the frame to go", lambda: not page.find(f'[data-picture="{picture}"]'))
    if by_keyboard:
        assert page.browser.switch_to.active_element.tag_name != "body", "the focus is lost"


def check_labels(page, folder):
    """Ten frames, one click each; one is taken back, one is given a new class."""
    page.wait("frames to label", lambda: len(page.find("#collected figure")) >= 4)
    page.find("#class-name")[0].send_keys("kite" + Keys.ENTER)
    page.wait_for_text("#collected", "kite")
    for done in range(LABELS):
        page.wait("a frame to label", lambda: page.find("#collected figure"))
        label(page, by_keyboard=done % 3 == 2)
    assert count_files(folder) == LABELS
    page.find("#label-status button")[0].click()
    page.wait_for_text("#label-status", "Taken back")
    assert count_files(folder) == LABELS - 1
    page.wait("a frame to label", lambda: page.find("#collected figure"))
    label(page, by_keyboard=False)
    page.picture("labelled", "#labelling")


def check_training(page):
    page.find("#train")[0].click()
    page.wait_for_text("#training-state", "Training")
    page.picture("training", "#training")
    page.wait_for_text("#training-state", "Trained", 400)
    page.wait_for_text("#camera-state", "new model since")
    page.wait_for_text("#tags", HIDDEN_CLASS)
    page.picture("trained")


def check_connection(page, watch, folder):
    """Says that the program is gone, and goes on when it is back."""
    assert watch.stop() == 0
    page.wait_for_text("#connection", "No connection")
    page.picture("no-connection")
    start_watch(folder, watch.address.rstrip("/").rsplit(":", 1)[1])
    page.wait("the connection", lambda: not page.text("#connection"))
    first = page.pixels("live")[0]
    page.wait("a live picture", lambda: page.pixels("live")[0] != first)


def main(folder):
    prepare(folder)
    watch = start_watch(folder)
    browser = open_browser()
    page = Page(browser)
    try:
        page.look(WIDE, "light")
        browser.get(watch.address)
        check_camera(page)
        check_looks(page)
        check_camera_that_is_gone(page)
        check_labels(page, folder)
        check_training(page)
        page.check_console()
        check_connection(page, watch, folder)
    finally:
        browser.quit()


with watching.make_folder() as made:
    main(made)
