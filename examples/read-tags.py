#!/usr/bin/env python3
"""Prints the class probabilities of a video's frames: read-tags.py VIDEO NAME.ensemble"""
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst


def show_tags(sink, buffer, pad):
    meta = buffer.get_custom_meta("GstEnsembleMeta")
    if meta:
        print(buffer.pts / Gst.SECOND, meta.get_structure().get_value("probabilities").unpack())


Gst.init(None)
pipeline = Gst.parse_launch("filesrc name=file ! decodebin ! videoconvert ! ensembleclassify "
                            "name=tagger ! fakesink name=sink signal-handoffs=true")
pipeline.get_by_name("file").props.location = sys.argv[1]
pipeline.get_by_name("tagger").props.model = sys.argv[2]
pipeline.get_by_name("sink").connect("handoff", show_tags)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(
    Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    sys.exit(message.parse_error().gerror.message)
