#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Classifies a video and prints how often classes appear and leave, and how long they are present,
by each frame's result alone ("present") and by what results say together ("state"); with a table of
what is in the video, of 25 frames a second, as draw-scenes writes it, also how many tags are wrong or
missing.

    measure-states.py VIDEO NAME.ensemble [--truth=TABLE.csv] [PROPERTY=VALUE ...]

A thing counts as there where a tenth of it is visible. Rows end with the median delay from a thing's
appearance to its tag."""
import csv
import statistics
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

VISIBLE = 0.1


def read_truth(path):
    """Classes in each frame."""
    frames = {}
    with open(path, encoding="utf-8") as table:
        for row in csv.DictReader(table):
            if float(row["visible"]) >= VISIBLE:
                frames.setdefault(int(row["frame"]), set()).add(row["class"])
    return frames


def take_result(pad, info, results):
    buffer = info.get_buffer()
    fields = buffer.get_custom_meta("GstEnsembleMeta").get_structure()
    if fields.get_uint64("age").value == 0:
        classes = fields.get_value("classes").unpack()
        results.append((buffer.pts, {c["name"]: (c["present"], c["state"]) for c in classes}))
    return Gst.PadProbeReturn.OK


def classify(video, model, properties):
    results = []
    pipeline = Gst.parse_launch("filesrc name=file ! decodebin ! videoconvert ! ensembleclassify "
                                f"name=tagger mode=sync {' '.join(properties)} ! fakesink")
    pipeline.get_by_name("file").props.location = video
    tagger = pipeline.get_by_name("tagger")
    tagger.props.model = model
    tagger.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, take_result, results)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error().gerror.message)
    return results


def follow(results, is_there):
    """Number of changes, and of frames that a class is there."""
    changes = frames = 0
    before = {}
    for _, classes in results:
        for name, class_result in classes.items():
            there = is_there(*class_result)
            changes += there != before.get(name, False)
            frames += there
            before[name] = there
    return changes, frames


def compare(results, truth, rate, is_there):
    """Wrong and missing tags, all that should be, and delays in seconds."""
    wrong = missing = due = 0
    delays, since = [], {}
    for pts, classes in results:
        there = truth.get(round(pts / Gst.SECOND * rate), set())
        for name, class_result in classes.items():
            tagged, real = is_there(*class_result), name in there
            wrong += tagged and not real
            missing += real and not tagged
            due += real
            if not real:
                since.pop(name, None)
            elif name not in since:
                since[name] = None if tagged else pts
                delays += [0] if tagged else []
            elif tagged and since[name] is not None:
                delays.append((pts - since[name]) / Gst.SECOND)
                since[name] = None
    return wrong, missing, due, delays


Gst.init(None)
options = [word for word in sys.argv[1:] if word.startswith("--truth=")]
video, model, *properties = [word for word in sys.argv[1:] if word not in options]
results = classify(video, model, properties)
minutes = (results[-1][0] - results[0][0]) / Gst.SECOND / 60
truth = read_truth(options[0].split("=", 1)[1]) if options else None
print(f"{len(results)} results in {minutes * 60:.0f} s")
for word, is_there in ("present", lambda present, state: present), \
                      ("state", lambda present, state: state == "present"):
    changes, frames = follow(results, is_there)
    print(f"{word:<8} {changes / minutes:6.1f} changes a minute, {frames} tags", end="")
    if truth:
        wrong, missing, due, delays = compare(results, truth, 25, is_there)
        print(f", {wrong} wrong, {missing} of {due} missing, "
              f"{statistics.median(delays or [0]):.2f} s delay", end="")
    print()
