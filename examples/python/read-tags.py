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
while sample := pipeline.get_by_name("sink").emit("pull-sample"):
    meta = sample.get_buffer().get_custom_meta("GstEnsembleMeta")
    if meta:  # the first frames of a camera carry no result yet
        print(meta.get_structure().get_value("probabilities").unpack())
error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if error:
    sys.exit(error.parse_error().gerror.message)
