#!/usr/bin/env python3
"""Prints the class probabilities of a video's frames: read-tags.py VIDEO NAME.ensemble"""
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
pipeline = Gst.parse_launch(f'''filesrc location="{sys.argv[1]}" ! decodebin ! videoconvert !
    ensembleclassify model="{sys.argv[2]}" ! appsink name=sink sync=false''')
pipeline.set_state(Gst.State.PLAYING)
while sample := pipeline.get_by_name("sink").emit("pull-sample"):
    meta = sample.get_buffer().get_custom_meta("GstEnsembleMeta")
    print(meta.get_structure().get_value("probabilities").unpack())
error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if error:
    sys.exit(error.parse_error().gerror.message)
