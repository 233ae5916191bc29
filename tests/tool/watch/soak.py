# SPDX-License-Identifier: LGPL-2.1-or-later
"""Watches four cameras for a long time: soak.py TOOL MAKE-COLOUR-BUNDLE [MINUTES]

    meson devenv -C build sh -c 'python3 ../tests/tool/watch/soak.py gst/tool/gst-ensemble-1.0 \\
      tests/gst/make-colour-bundle 60'

One RTSP camera stays, two go away for 20 s every two minutes, and a file begins again all the time; a
viewer opens and leaves the live picture. Prints a line every ten seconds, then by how much memory, threads
and files grow after the first quarter; fails if they do, or if a clip can't be played.
"""
import contextlib
import http.client
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import watching
from watching import Camera, Watch

TOOL, MAKE_BUNDLE = sys.argv[1:3]
MINUTES = float(sys.argv[3]) if len(sys.argv) > 3 else 60
PERIOD, AWAY = 120, 20  # seconds
MAX_GROWTH = 0.15  # threads have heaps of their own, so that memory comes and goes with them
CLIPS_PLAYED = 40


def write_file(path):
    """Five seconds of red, five of blue."""
    sources = " ".join(f"videotestsrc pattern={colour} num-buffers=50 ! video/x-raw,width=320,height=240,"
                       "framerate=10/1 ! c." for colour in ("red", "blue"))
    subprocess.run(["gst-launch-1.0", "-q"] + f"concat name=c ! jpegenc ! avimux ! filesink location={path} "
                   f"{sources}".split(), check=True)


def write_config(folder, uris):
    text = ("[watch]\nmodel=colours.ensemble\n[page]\nport=0\n[collect]\nfolder=collected\nlimit=20\n"
            "[publish]\nlocation=tags.jsonl\nrotate-size=1000000\n"
            "[record]\nclasses=red\nbefore=2\nafter=2\nlongest=60\nlimit=20\n[classify]\ninference-period=500000000\n")
    text += "".join(f"[camera {name}]\nuri={uri}\n" for name, uri in uris.items())
    text = text.replace("location=tags.jsonl", f"location={folder}/tags.jsonl")
    (folder / "watch.conf").write_text(text)
    return folder / "watch.conf"


def look(address, names, over):
    """A person who looks at one camera after the other."""
    host = urllib.parse.urlsplit(address).netloc
    while not over.is_set():
        for name in names:
            with contextlib.suppress(OSError, http.client.HTTPException), \
                    urllib.request.urlopen(f"http://{host}/api/cameras/{name}/live", timeout=20) as stream:
                end = time.monotonic() + 15
                while time.monotonic() < end and not over.is_set():
                    stream.read(4096)
            over.wait(3)


def grow(rows, column):
    """By what share the highest value of the last third is above that of the first."""
    third = len(rows) // 3
    return max(row[column] for row in rows[-third:]) / max(row[column] for row in rows[:third]) - 1


def measure(watch, begin, names):
    frames = sum(watch.metric("gst_ensemble_frames_total", name) for name in names)
    clips = sum(watch.metric("gst_ensemble_clips_total", name) for name in names)
    reconnects = sum(watch.metric("gst_ensemble_reconnects_total", name) for name in names)
    row = (time.monotonic() - begin, watch.memory(), watch.n_threads(), watch.n_files())
    print(f"{row[0] / 60:6.1f} min {row[1] / 1e6:7.1f} MB {row[2]:4} threads {row[3]:4} files {frames:8.0f} frames "
          f"{clips:5.0f} clips {reconnects:5.0f} reconnects", flush=True)
    return row


def run(watch, cameras, names):
    begin, rows, away = time.monotonic(), [], False
    while time.monotonic() - begin < MINUTES * 60:
        leave = (time.monotonic() - begin) % PERIOD > PERIOD - AWAY
        if leave != away:
            away = leave
            for name in ("coming", "going"):
                if away:
                    cameras[name].kill()
                else:
                    cameras[name].start()
        if not away:
            rows.append(measure(watch, begin, names))
        time.sleep(10)
    for name in ("coming", "going"):
        if away:
            cameras[name].start()
    time.sleep(30)
    rows.append(measure(watch, begin, names))
    return rows[len(rows) // 4:]


def check(rows):
    growth = [grow(rows, column) for column in (1, 2, 3)]
    print("highest of the last third above that of the first: memory {:+.0%}, threads {:+.0%}, files {:+.0%}"
          .format(*growth))
    return max(growth) < MAX_GROWTH


def play(folder):
    clips = sorted(folder.glob("clips/*/*.mkv"), key=lambda clip: clip.stat().st_mtime)[-CLIPS_PLAYED:]
    bad = [clip.name for clip in clips if watching.count_frames(clip) == 0]
    print(f"{len(clips)} clips, of which can't be played: {bad}")
    return bool(clips) and not bad


def main(folder):
    subprocess.run([MAKE_BUNDLE, folder], check=True, stdout=subprocess.DEVNULL)
    write_file(folder / "file.avi")
    cameras = {"steady": Camera("vp8").start(), "coming": Camera("jpeg").start(),
               "going": Camera("h264" if watching.has_elements(*watching.NEEDED["h264"]) else "vp8").start()}
    uris = {name: camera.uri for name, camera in cameras.items()} | {"file": f"file://{folder}/file.avi"}
    watch = Watch(TOOL, write_config(folder, uris), subprocess.DEVNULL)
    over = threading.Event()
    viewer = threading.Thread(target=look, args=(watch.address, list(uris), over))
    viewer.start()
    try:
        well = check(run(watch, cameras, uris))
    finally:
        over.set()
        viewer.join()
    well = watch.stop() == 0 and well
    return play(folder) and well


with watching.make_folder() as made:
    sys.exit(not main(made))
