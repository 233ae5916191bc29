#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stops pipelines while ensembleclassify analyses, at different moments, and prints how long that
takes, in milliseconds: set_state(NULL) of the element alone, and its share that the process spent
computing, which is what it would take on an idle machine.

    measure-stop.py NAME.ensemble WIDTHxHEIGHT [STOPS [PROPERTY=VALUE ...]]

The first stop comes right after the first frame, while plans are made."""
import sys
import time
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst


def stop_once(delay):
    pipeline = Gst.parse_launch(
        "videotestsrc is-live=true pattern=smpte ! "
        f"video/x-raw,format=NV12,width={width},height={height},framerate=25/1 ! "
        f"ensembleclassify name=tagger model={model} mode=async {' '.join(properties)} ! "
        "fakesink sync=false")
    tagger = pipeline.get_by_name("tagger")
    if pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
        sys.exit(pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR).parse_error()[0].message)
    pipeline.get_state(Gst.CLOCK_TIME_NONE)
    time.sleep(delay)
    tagger.set_locked_state(True)
    pad = tagger.get_static_pad("sink")
    pad.add_probe(Gst.PadProbeType.BUFFER, lambda *_: Gst.PadProbeReturn.DROP)
    cpu, wall = time.process_time(), time.monotonic()
    tagger.set_state(Gst.State.NULL)
    taken = (time.monotonic() - wall) * 1e3, (time.process_time() - cpu) * 1e3
    pipeline.set_state(Gst.State.NULL)
    return taken


Gst.init(None)
model, size, *rest = sys.argv[1:]
width, height = size.split("x")
n = int(rest[0]) if rest else 10
properties = rest[1:]
stops = [stop_once(0.1 + 2.9 * i / max(n - 1, 1)) for i in range(n)]
for name, values in zip(("stopping", "computing"), zip(*stops)):
    values = sorted(values)
    print(f"{name:<12}{n:>4} stops  median {values[n // 2]:.1f}  longest {values[-1]:.1f}")
