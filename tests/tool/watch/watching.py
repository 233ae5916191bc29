# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs watch and cameras for tests. What was started ends with the test, however that ends."""
import atexit
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
ENCODERS = {
    "jpeg": "jpegenc ! rtpjpegpay",
    "vp8": "vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay",
    "h264": "openh264enc gop-size=30 ! rtph264pay config-interval=1",
}
NEEDED = {"jpeg": ["jpegdec"], "vp8": ["vp8enc", "vp8dec"], "h264": ["openh264enc", "h264parse", "avdec_h264"]}


started = []


@atexit.register
def end_all():
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextlib.contextmanager
def make_folder():
    """Removed at the end, when nothing that was started writes into it any more."""
    with tempfile.TemporaryDirectory() as name:
        try:
            yield pathlib.Path(name)
        finally:
            end_all()


signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def start(*command, **options):
    started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options))
    return started[-1]


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def has_elements(*names):
    inspect = shutil.which("gst-inspect-1.0")
    return inspect and all(subprocess.run([inspect, name], capture_output=True, check=False).returncode == 0
                           for name in names)


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s in vain: {what}")
        time.sleep(0.2)


class Camera:
    """An RTSP server in a process of its own, which can be killed and started again at its port."""

    def __init__(self, encoder, pattern="pattern=red", size="width=320,height=240", rate=10):
        self.pipeline = (f"videotestsrc is-live=true {pattern} ! video/x-raw,format=I420,{size},framerate={rate}/1 ! "
                         f"{ENCODERS[encoder]} name=pay0")
        self.port = "0"
        self.server = None

    def start(self):
        self.server = start(sys.executable, HERE / "rtsp-server.py", self.port, self.pipeline)
        self.port = self.server.stdout.readline().strip()
        if not self.port:
            sys.exit("the RTSP server does not start")
        return self

    def kill(self):
        self.server.kill()
        self.server.wait()

    @property
    def uri(self):
        return f"rtsp://127.0.0.1:{self.port}/camera"


class Watch:
    """The program with a page at any free port."""

    def __init__(self, tool, config, log=None):
        self.process = start(tool, "watch", config, stderr=log)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            sys.exit("watch does not start")

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def state(self, camera):
        cameras = json.loads(self.get("api/state")[1])["cameras"]
        return next(one for one in cameras if one["name"] == camera)

    def metric(self, name, camera):
        return float(re.search(rf'^{name}{{camera="{camera}"}} (\S+)$', self.get("metrics")[1], re.M)[1])

    def n_threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def n_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Bytes that nobody else has."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(int(kilobytes) for kilobytes in re.findall(r"^Private_\w+:\s+(\d+)", text, re.M)) * 1024

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(60)


def count_frames(clip):
    """How many frames of a clip can be decoded."""
    result = subprocess.run(
        ["gst-launch-1.0", "-v", "filesrc", f"location={clip}", "!", "decodebin", "!", "identity", "silent=false", "!",
         "fakesink", "sync=false"], capture_output=True, text=True, timeout=120, check=False)
    return result.stdout.count("last-message = chain")
