# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera, as far as a network sees it: rtsp-server.py PORT PIPELINE

Serves rtsp://127.0.0.1:PORT/camera, of a pipeline that ends in a payloader called pay0; port 0 is any
free one. Prints the port.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory(launch=f"( {sys.argv[2]} )", shared=True)
server.get_mount_points().add_factory("/camera", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
