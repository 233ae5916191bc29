# SPDX-License-Identifier: LGPL-2.1-or-later
"""Watches RTSP cameras that go away and come back: rtsp.py TOOL MAKE-COLOUR-BUNDLE

Each comes back by itself, no thread or file is left behind, and clips can be played, also those that were
being written when watch was killed.
"""
import signal
import subprocess
import sys

import watching
from watching import Camera, Watch, wait_for

try:
    import gi
    gi.require_version("GstRtspServer", "1.0")
except (ImportError, ValueError):
    watching.skip("no gir1.2-gst-rtsp-server-1.0")
TOOL, MAKE_BUNDLE = sys.argv[1:]
ROUNDS = 2


def write_config(folder, cameras):
    text = "[watch]\nmodel=colours.ensemble\n[page]\nport=0\n[record]\nclasses=red\nbefore=1\nafter=1\n"
    for name, camera in cameras.items():
        text += f"[camera {name}]\nuri={camera.uri}\n"
    (folder / "watch.conf").write_text(text)
    return folder / "watch.conf"


def wait_for_state(watch, name, state):
    wait_for(f"{name} to be {state}", lambda: watch.state(name)["state"] == state, 90)


def wait_for_tags(watch, cameras):
    for name in cameras:
        wait_for_state(watch, name, "playing")
        wait_for(f"the tag of {name}", lambda: watch.state(name).get("present") == ["red"])
        wait_for(f"a clip of {name}", lambda: watch.state(name)["recording"])
    wait_for("health", lambda: watch.get("health")[0] == 200)


def go_away(watch, cameras):
    """All cameras vanish, and come back."""
    for camera in cameras.values():
        camera.kill()
    for name in cameras:
        wait_for_state(watch, name, "waiting")
    assert watch.get("health")[0] == 503
    for camera in cameras.values():
        camera.start()
    wait_for_tags(watch, cameras)


def check_clips(folder, cameras):
    for name in cameras:
        clips = sorted((folder / "clips" / name).glob("*.mkv"))
        assert len(clips) > ROUNDS, f"{name}: {clips}"
        for clip in clips:
            assert watching.count_frames(clip) > 0, f"{clip} can't be played: {clip.stat().st_size} bytes"


def main(folder):
    subprocess.run([MAKE_BUNDLE, folder], check=True, stdout=subprocess.DEVNULL)
    cameras = {name: Camera(name).start() for name, elements in watching.NEEDED.items()
               if watching.has_elements(*elements)}
    watch = Watch(TOOL, write_config(folder, cameras))
    wait_for_tags(watch, cameras)
    go_away(watch, cameras)
    # Stopped sources end in the background.
    threads, files = watch.n_threads(), watch.n_files()
    for _ in range(ROUNDS):
        go_away(watch, cameras)
    wait_for(f"no more than {threads} threads", lambda: watch.n_threads() <= threads)
    wait_for(f"no more than {files} files", lambda: watch.n_files() <= files)
    for name in cameras:
        assert watch.metric("gst_ensemble_reconnects_total", name) >= ROUNDS + 1
    wait_for("clips", lambda: all(watch.metric("gst_ensemble_clips_total", name) > ROUNDS for name in cameras))
    # Something is written when it is killed.
    wait_for_tags(watch, cameras)
    wait_for("bytes", lambda: all(max(clip.stat().st_size for clip in (folder / "clips" / name).glob("*.mkv")) > 4096
                                  for name in cameras))
    watch.stop(signal.SIGKILL)
    check_clips(folder, cameras)
    for camera in cameras.values():
        camera.kill()


with watching.make_folder() as made:
    main(made)
