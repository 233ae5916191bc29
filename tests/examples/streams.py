# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the examples that follow streams: streams.py CASE SOURCE-ROOT MAKE-COLOUR-BUNDLE PULL-TAGS TOOL

The camera is examples/python/rtsp-server.py, on loopback, with a clip that is blue, red and blue again,
over and over."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import Gst
except (ImportError, ValueError) as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

case, root, make_bundle, pull_tags, tool = sys.argv[1:]
root = pathlib.Path(root)
shell, python = root / "examples" / "shell", root / "examples" / "python"


class Program:
    """One that runs beside the test, which reads its lines."""

    def __init__(self, *command, **variables):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env={**os.environ, **variables})
        self.watchdog = threading.Timer(100, self.process.kill)
        self.watchdog.start()

    def wait_for(self, *patterns):
        """The first line in which the last pattern is found, after lines with the ones before it."""
        seen, patterns = "", list(patterns)
        for line in self.process.stdout:
            seen += line
            if re.search(patterns[0], line):
                patterns.pop(0)
            if not patterns:
                return line.strip()
        raise AssertionError(f"“{patterns[0]}” is not in:\n{seen}")

    def stop(self):
        """As Ctrl-C does. Returns what it still writes."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.watchdog.cancel()


def write_clip(path):
    """Blue, red and blue, for two seconds each."""
    parts = [f"videotestsrc num-buffers=50 pattern={colour} ! "
             "video/x-raw,width=64,height=48,framerate=25/1 ! queue ! turns." for colour in ("blue", "red", "blue")]
    play("concat name=turns ! vp8enc deadline=1 keyframe-max-dist=10 ! matroskamux ! "
         f"filesink location={path} " + " ".join(parts))


def play(text):
    """Until its end, which must come without an error."""
    pipeline = Gst.parse_launch(text)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(100 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    assert message and message.type == Gst.MessageType.EOS, message and message.parse_error()


def serve(clip, *bundle):
    return Program(sys.executable, python / "rtsp-server.py", "--port=0", clip, *bundle)


def check_camera(folder, clip, bundle):
    """Classes that come and go before a camera; and a second server, which draws them."""
    with serve(clip) as camera:
        address = camera.wait_for("^rtsp:")
        with Program("sh", shell / "tag-camera.sh", address, bundle) as tags:
            tags.wait_for('"present": \\["red"', '"left", "class": "red"', '"present": \\["blue"')
        with Program(pull_tags, address, bundle, "red") as tags:
            tags.wait_for("red 0.0[0-9]  brightness", "red [01].[09][0-9] present  brightness")
        with serve(address, bundle) as tagged:
            # Drawn on a frame that is one colour all over: there are others then.
            play(f"rtspsrc location={tagged.wait_for('^rtsp:')} latency=0 ! decodebin ! identity eos-after=60 ! "
                 f"videoconvert ! pngenc snapshot=false ! multifilesink location={folder}/drawn.png")
        plain, drawn = folder / "plain.png", folder / "drawn.png"
        play(f"rtspsrc location={address} latency=0 ! decodebin ! identity eos-after=60 ! "
             f"videoconvert ! pngenc snapshot=false ! multifilesink location={plain}")
        assert drawn.stat().st_size > 1.5 * plain.stat().st_size, "no tags are drawn"


def check_record(folder, clip, bundle):
    with serve(clip) as camera:
        arguments = camera.wait_for("^rtsp:"), bundle, "red", folder / "clips"
        with Program(sys.executable, python / "record-class.py", *arguments) as recorder:
            written = pathlib.Path(recorder.wait_for("mkv$"))
    assert written.parent == folder / "clips" and "red" in written.name
    # From before red appears until after it has left; every frame can be decoded.
    play(f"filesrc location={written} ! decodebin ! videoconvert ! video/x-raw,format=RGB ! "
         f"filesink location={folder}/frames")
    pixels = (folder / "frames").read_bytes()
    frames = [pixels[i:i + 64 * 48 * 3] for i in range(0, len(pixels), 64 * 48 * 3)]
    red = [frame[0] > 128 for frame in frames]
    assert not red[0] and not red[-1] and 40 <= sum(red) <= 60, red


def check_home_assistant(folder, clip, bundle):
    """What a broker gets: the device is announced, and its states follow."""
    programs = [shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") 
                for name in ("mosquitto", "mosquitto_sub", "mosquitto_passwd")]
    if None in programs:
        print("skipped: no mosquitto, or no mosquitto_sub")
        sys.exit(77)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run([programs[2], "-c", "-b", folder / "passwords", "tagger", "tagger"], check=True)
    (folder / "broker.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\nuser root\n")
    with Program(programs[0], "-c", folder / "broker.conf") as broker, serve(clip) as camera:
        wait_for_port(port)
        address, broker_address = camera.wait_for("^rtsp:"), f"mqtt://127.0.0.1:{port}"
        publishers = {"yard": ("sh", shell / "camera-to-home-assistant.sh", address, bundle, broker_address, "yard"),
                      "gate": (tool, "watch", write_watch(folder, address, bundle, broker_address))}
        for name, command in publishers.items():
            with Program(programs[1], "-p", port, "-u", "tagger", "-P", "tagger", "-F", "%t %p",
                         "-t", "homeassistant/#", "-t", "gst-ensemble/#") as subscriber, \
                 Program(*command, MQTT_USER="tagger", MQTT_PASSWORD="tagger"):
                announced = subscriber.wait_for(f"^homeassistant/binary_sensor/.*{name}.*red")
                entity = json.loads(announced.split(" ", 1)[1])
                assert entity["state_topic"] == f"gst-ensemble/{name}/class/red", entity
                subscriber.wait_for(f'^gst-ensemble/{name}/class/red .*"ON"', f'^gst-ensemble/{name}/class/red .*"OFF"')


def write_watch(folder, camera, bundle, broker):
    """The same by a configuration."""
    (folder / "watch.conf").write_text(
        f"[watch]\nmodel={bundle}\n[page]\nlisten=off\n[publish]\nlocation={broker}\nuser=tagger\n"
        f"secret=env:MQTT_PASSWORD\nhome-assistant=true\n[camera gate]\nuri={camera}\n")
    return folder / "watch.conf"


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the broker does not listen")


def check_videos(folder, clip, bundle):
    """Examples that run to the end of a file."""
    done = subprocess.run(["sh", shell / "tag-video.sh", clip, bundle], capture_output=True, text=True, check=True)
    assert '"present": ["red"]' in done.stdout and '"present": ["blue"]' in done.stdout, done.stdout
    subprocess.run(["sh", shell / "draw-tags.sh", clip, bundle, folder / "tagged.webm"], check=True)
    assert (folder / "tagged.webm").stat().st_size > clip.stat().st_size
    play(f"filesrc location={folder}/tagged.webm ! decodebin ! fakesink")
    done = subprocess.run([pull_tags, clip, bundle, "red"], capture_output=True, text=True, check=True)
    assert done.stdout.count("present") == 50, done.stdout
    for arguments, complaint in ((("none.mkv", bundle, "red"), "not found"), ((clip, folder / "none", "red"), "/none"),
                                 ((clip, bundle, "none"), "none")):
        done = subprocess.run([pull_tags, *arguments], capture_output=True, text=True)
        assert done.returncode == 1 and complaint in done.stderr, done


def check_watch(folder, clip, bundle):
    """All that the configuration says is understood, when files and the camera are there."""
    text = (root / "examples" / "watch" / "watch.conf").read_text()
    text = text.replace("site.ensemble", bundle).replace("rtsp://camera.example/stream", clip.as_uri())
    (folder / "watch.conf").write_text(re.sub(r"^#(\w+=)", r"\1", text, flags=re.MULTILINE))
    (folder / "photos").mkdir()
    done = subprocess.run([tool, "watch", "--check", folder / "watch.conf"], capture_output=True, text=True)
    print(done.stdout + done.stderr)
    assert done.returncode == 0


Gst.init(None)
with tempfile.TemporaryDirectory() as name:
    scratch = pathlib.Path(name)
    colours = subprocess.run([make_bundle, name], capture_output=True, text=True, check=True).stdout.strip()
    write_clip(scratch / "turns.mkv")
    globals()[f"check_{case}"](scratch, scratch / "turns.mkv", colours)
