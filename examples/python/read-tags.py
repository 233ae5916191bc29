#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the class probabilities of a video's frames: read-tags.py VIDEO NAME.ensemble

Needs GStreamer's own bindings alone; read-results.py shows what GstEnsemble's add."""
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
pipeline = Gst.parse_launch("""filesrc name=source ! decodebin ! videoconvert !
    ensembleclassify name=classify ! appsink name=sink sync=false""")
pipeline.get_by_name("source").set_property("location", sys.argv[1])
pipeline.get_by_name("classify").set_property("model", sys.argv[2])
pipeline.set_state(Gst.State.PLAYING)
sink, bus, end = pipeline.get_by_name("sink"), pipeline.get_bus(), None
while not end:  # not "pull-sample", which waits for ever when the pipeline has failed
    sample = sink.emit("try-pull-sample", Gst.SECOND // 10)
    meta = sample and sample.get_buffer().get_custom_meta("GstEnsembleMeta")
    if meta:  # the first frames of a camera carry no result yet
        print(meta.get_structure().get_value("probabilities").unpack())
    elif not sample:
        end = bus.pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.EOS)
pipeline.set_state(Gst.State.NULL)
if end.type == Gst.MessageType.ERROR:
    sys.exit(end.parse_error().gerror.message)
