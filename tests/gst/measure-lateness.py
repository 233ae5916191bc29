#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a video at its own pace through ensembleclassify and prints, in milliseconds, how late
frames are before and after the element, what the element adds to that, and how old the tags are
that they carry.

    measure-lateness.py VIDEO NAME.ensemble [PROPERTY=VALUE ...]

A frame is late by what the pipeline's clock shows beyond the frame's running time. The first
second, in which the pipeline starts, does not count."""
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst


def measure(pad, info, lateness, ages):
    buffer = info.get_buffer()
    segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
    due = segment.to_running_time(Gst.Format.TIME, buffer.pts)
    if due < Gst.SECOND:
        return Gst.PadProbeReturn.OK
    lateness.append((pipeline.get_current_running_time() - due) / Gst.MSECOND)
    meta = buffer.get_custom_meta("GstEnsembleMeta")
    if meta:
        ages.append(meta.get_structure().get_uint64("age").value / Gst.MSECOND)
    return Gst.PadProbeReturn.OK


def print_row(name, values):
    values.sort()
    shares = [values[int(share * (len(values) - 1))] for share in (0.5, 0.99, 1)] if values else []
    print(f"{name:<24}{len(values):>8}" + "".join(f"{value:>10.2f}" for value in shares))


Gst.init(None)
video, model, *properties = sys.argv[1:]
pipeline = Gst.parse_launch(
    "filesrc name=file ! decodebin ! videoconvert ! queue ! identity sync=true ! "
    f"ensembleclassify name=tagger mode=async {' '.join(properties)} ! fakesink")
pipeline.get_by_name("file").props.location = video
tagger = pipeline.get_by_name("tagger")
tagger.props.model = model
before, after, ages = [], [], []
for name, lateness in ("sink", before), ("src", after):
    tagger.get_static_pad(name).add_probe(Gst.PadProbeType.BUFFER, measure, lateness, ages)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(
    Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
stats = tagger.props.stats
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    sys.exit(message.parse_error().gerror.message)

print(f"{'':<24}{'frames':>8}{'median':>10}{'99 %':>10}{'worst':>10}")
added = [late - early for early, late in zip(before, after)]
print_row("late before the element", before)
print_row("late after it", after)
print_row("added by it", added)
print_row("age of tags", ages)
print(f"analysed {stats.get_uint64('analysed').value}, "
      f"skipped {stats.get_uint64('skipped').value}, "
      f"mean analysis {stats.get_int64('mean-total').value / Gst.MSECOND:.1f} ms, "
      f"mean latency {stats.get_int64('mean-latency').value / Gst.MSECOND:.1f} ms")
