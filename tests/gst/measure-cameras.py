#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cameras in one process: clips that are looped at their own pace, each as the live source of a
pipeline of its own with ensembleclassify. Prints what each camera got, how late its buffers were at
the sink, and what that took.

    measure-cameras.py --cameras=4 --seconds=60 --size=768x432 BUNDLE CLIP [CLIP ...]
    measure-cameras.py --cameras=8 --seconds=1800 --corrupt --reconnect=60 --broker-away=300 \\
        BUNDLE CLIP [CLIP ...]

--corrupt          of the first camera each seventh buffer is cut short, each fifth is flagged
--reconnect=S      the second camera's pipeline is stopped and started again every S seconds
--broker           results go to a mosquitto that is started for this, with a spool
--broker-away=S    the same, and after a third of the time it is away for S seconds
--set="A=B C=D"    properties of all elements, such as "batch-size=4 batch-timeout=20000000"

GST_PLUGIN_PATH finds the plug-in. Memory's slope is that of a line through the second half."""
import argparse
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

STATS = ("analysed", "skipped", "failed", "unusable", "missed", "cut", "batched")
SENT = ("sent", "lost", "waiting")


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--size", default="768x432")
    parser.add_argument("--period", type=float, default=1, help="seconds between analysed frames")
    parser.add_argument("--set", default="")
    parser.add_argument("--corrupt", action="store_true")
    parser.add_argument("--reconnect", type=float, default=0)
    parser.add_argument("--broker", action="store_true")
    parser.add_argument("--broker-away", type=float, default=0)
    return parser.parse_args()


class Broker:
    """A mosquitto of our own, with a spool folder for each camera."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.config = os.path.join(folder, "mosquitto.conf")
        with open(self.config, "w", encoding="utf-8") as config:
            config.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", self.config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def element(self, number):
        spool = os.path.join(self.folder, f"spool{number}")
        os.makedirs(spool, exist_ok=True)
        return (f"! ensemblepublish name=publish location=mqtt://127.0.0.1:{self.port} "
                f"source=camera{number} spool={spool} form=compact")


def add_stats(total, structure, names):
    for name in names:
        if structure is not None and structure.has_field(name):
            total[name] = total.get(name, 0) + structure.get_value(name)


class Camera:
    """A player, which loops the clip, and what is called the camera: the pipeline that it feeds."""

    def __init__(self, number, options, broker):
        self.number, self.options, self.broker = number, options, broker
        self.lock = threading.Lock()
        self.pipeline = self.source = None
        self.totals, self.sent, self.weights, self.worst = {}, {}, {}, 0
        self.n_buffers = self.n_pushed = self.n_starts = 0
        self.time_up = self.slowest_stop = 0
        self.errors = []
        width, height = options.size.split("x")
        self.caps = (f"video/x-raw, format=I420, width={width}, height={height}, "
                     "pixel-aspect-ratio=1/1")
        clip = options.clips[number % len(options.clips)]
        self.player = Gst.parse_launch(
            "filesrc name=file ! decodebin ! videoconvertscale n-threads=1 ! "
            f"{self.caps.replace(', ', ',')} ! appsink name=out sync=true emit-signals=true "
            "max-buffers=2 drop=true")
        self.player.get_by_name("file").props.location = clip
        self.player.get_by_name("out").connect("new-sample", self.pass_on)
        bus = self.player.get_bus()
        bus.add_signal_watch()
        bus.connect("message::eos", lambda *_: self.player.seek_simple(
            Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT, 0))
        bus.connect("message::error", self.take_error)

    def take_error(self, _bus, message):
        self.errors.append(message.parse_error().gerror.message)

    def spoil(self, buffer):
        """A buffer as a broken source gives it."""
        if self.n_pushed % 7 == 0:
            return Gst.Buffer.new_wrapped(bytes(1000))
        if self.n_pushed % 5 == 0:
            buffer.set_flags(Gst.BufferFlags.CORRUPTED)
        return buffer

    def pass_on(self, sink):
        sample = sink.emit("pull-sample")
        buffer = sample.get_buffer().copy()
        buffer.pts = buffer.dts = Gst.CLOCK_TIME_NONE
        self.n_pushed += 1
        if self.options.corrupt and self.number == 0:
            buffer = self.spoil(buffer)
        with self.lock:
            if self.source is not None:
                self.source.set_property("caps", sample.get_caps())
                self.source.emit("push-buffer", buffer)
        return Gst.FlowReturn.OK

    def look_at(self, pad, info, pipeline):
        buffer = info.get_buffer()
        self.n_buffers += 1
        if buffer.pts != Gst.CLOCK_TIME_NONE:
            late = pipeline.get_current_running_time() - buffer.pts
            self.worst = max(self.worst, late / Gst.MSECOND)
        return Gst.PadProbeReturn.OK

    def start(self):
        period = int(self.options.period * Gst.SECOND)
        pipeline = Gst.parse_launch(
            "appsrc name=source is-live=true format=time do-timestamp=true max-buffers=4 "
            "leaky-type=downstream ! "
            f"ensembleclassify name=tagger inference-period={period} {self.options.set} "
            f"{self.broker.element(self.number) if self.broker else ''} "
            "! fakesink name=sink sync=false")
        pipeline.get_by_name("tagger").props.model = self.options.bundle
        pad = pipeline.get_by_name("sink").get_static_pad("sink")
        probe = pad.add_probe(Gst.PadProbeType.BUFFER, self.look_at, pipeline)
        self.forget = lambda: pad.remove_probe(probe)  # what the probe knows keeps the pipeline
        pipeline.get_bus().set_sync_handler(self.look_at_message)
        pipeline.set_state(Gst.State.PLAYING)
        self.n_starts += 1
        self.began = time.monotonic()
        with self.lock:
            self.pipeline, self.source = pipeline, pipeline.get_by_name("source")

    def look_at_message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            self.errors.append(message.parse_error().gerror.message)
        return Gst.BusSyncReply.DROP

    def count(self):
        stats = self.pipeline.get_by_name("tagger").props.stats
        analysed = stats.get_value("analysed")
        add_stats(self.totals, stats, STATS)
        for name in ("mean-cpu", "mean-latency", "mean-batch"):
            self.weights[name] = (self.weights.get(name, 0) + analysed * stats.get_value(name)
                                  if stats.has_field(name) else 0)
        publish = self.pipeline.get_by_name("publish")
        if publish is not None:
            waiting = publish.props.stats
            self.sent["waiting"] = 0
            add_stats(self.sent, waiting, SENT)

    def stop(self):
        with self.lock:
            self.source = None
        self.count()
        self.time_up += time.monotonic() - self.began
        begin = time.monotonic()
        self.pipeline.set_state(Gst.State.NULL)
        self.forget()
        self.slowest_stop = max(self.slowest_stop, time.monotonic() - begin)
        self.pipeline = None

    def reconnect(self):
        self.stop()
        time.sleep(1)
        self.start()

    def print_row(self):
        analysed = self.totals["analysed"]
        asked = self.time_up / self.options.period
        mean = {name: value / max(analysed, 1) for name, value in self.weights.items()}
        print(f"{self.number:>6}{asked:>7.0f}{analysed:>9}"
              + "".join(f"{self.totals.get(name, 0):>9}" for name in STATS[1:])
              + f"{mean['mean-batch']:>7.2f}{mean['mean-cpu'] / 1e6:>9.1f}"
              f"{mean['mean-latency'] / 1e6:>9.1f}{self.n_buffers:>9}{self.worst:>9.1f}"
              f"{self.slowest_stop * 1000:>8.0f}"
              + "".join(f"{self.sent[name]:>9}" for name in SENT if name in self.sent), flush=True)
        for error in sorted(set(self.errors)):
            print(f"       error, {self.errors.count(error)} times: {error}")


def read_memory():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 2**20


def find_slope(samples):
    """MiB in a minute, of the second half."""
    half = samples[len(samples) // 2:]
    n = len(half)
    if n < 2:
        return 0
    mean_t = sum(t for t, _ in half) / n
    mean_m = sum(m for _, m in half) / n
    spread = sum((t - mean_t) ** 2 for t, _ in half)
    return 60 * sum((t - mean_t) * (m - mean_m) for t, m in half) / spread


def run(options, cameras, broker):
    """Lets time pass, and does to cameras and broker what the options say."""
    begin, samples, away, reconnects = time.monotonic(), [], 0, 0
    while (now := time.monotonic() - begin) < options.seconds:
        time.sleep(min(1, options.seconds - now))
        samples.append((now, read_memory()))
        if options.reconnect and len(cameras) > 1 and now // options.reconnect > reconnects:
            reconnects = now // options.reconnect
            cameras[1].reconnect()
        gone = now - options.seconds / 3
        if options.broker_away and away == 0 and gone >= 0:
            broker.stop()
            away = 1
        if away == 1 and gone >= options.broker_away:
            broker.start()
            away = 2
    return samples


def main():
    options = read_options()
    Gst.init(None)
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(folder) if options.broker or options.broker_away else None
        cameras = [Camera(number, options, broker) for number in range(options.cameras)]
        for camera in cameras:
            camera.start()
            camera.player.set_state(Gst.State.PLAYING)
        before = os.times()
        samples = run(options, cameras, broker)
        after = os.times()
        for camera in cameras:
            camera.stop()
            camera.player.set_state(Gst.State.NULL)
        if broker is not None and broker.process.poll() is None:
            broker.stop()
    loop.quit()
    print(f"{'camera':>6}{'asked':>7}{'analysed':>9}" + "".join(f"{n:>9}" for n in STATS[1:])
          + f"{'batch':>7}{'cpu ms':>9}{'lat. ms':>9}{'buffers':>9}{'late ms':>9}{'stop ms':>8}"
          + ("".join(f"{n:>9}" for n in SENT) if broker else ""))
    for camera in cameras:
        camera.print_row()
    cpu = after.user + after.system - before.user - before.system
    print(f"processor time {cpu:.1f} s in {after.elapsed - before.elapsed:.1f} s, decoding and "
          f"scaling included; memory {samples[0][1]:.0f} MiB at first, "
          f"{max(m for _, m in samples):.0f} at most, slope {find_slope(samples):+.2f} MiB a minute")
    return 1 if any(camera.errors for camera in cameras) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
