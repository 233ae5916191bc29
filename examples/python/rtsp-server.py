#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves a video or a camera over RTSP, with its tags drawn into the picture:

    rtsp-server.py [--port=PORT] SOURCE [NAME.ensemble]

SOURCE is a file, which is played over and over, or the address of a camera (rtsp://…). Without an
ensemble the pictures are served as they are: a stand-in for a camera. Any number of players may open
rtsp://HOST:PORT/stream. Needs the typelib of GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0)."""
import argparse
import sys

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

TAGS = "ensembleclassify name=classify mode=async ! ensembleoverlay ! videoconvert !"
# The first whose encoder is installed: of gstreamer1.0-plugins-ugly, or -good.
CODECS = [
    ("x264enc", "x264enc tune=zerolatency speed-preset=veryfast key-int-max=25", "rtph264pay"),
    ("vp8enc", "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=25", "rtpvp8pay"),
]


class Server:
    """One pipeline that encodes once, and one for all players that is fed by it."""

    def __init__(self, source, bundle, port):
        _, encoder, payloader = next(codec for codec in CODECS if Gst.ElementFactory.find(codec[0]))
        self.feeds = []
        self.pipeline = Gst.parse_launch(
            f"uridecodebin name=source ! videoconvert ! "
            f"{TAGS if bundle else ''} {encoder} ! appsink name=encoded emit-signals=true")
        uri = source if Gst.uri_is_valid(source) else Gst.filename_to_uri(source)
        self.pipeline.get_by_name("source").set_property("uri", uri)
        if bundle:
            self.pipeline.get_by_name("classify").set_property("model", bundle)
        self.pipeline.get_by_name("encoded").connect("new-sample", self.on_encoded)

        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"appsrc name=feed format=time is-live=true do-timestamp=true ! {payloader} name=pay0")
        factory.set_shared(True)
        factory.connect("media-configure", self.on_media)
        self.rtsp = GstRtspServer.RTSPServer(service=str(port))
        self.rtsp.get_mount_points().add_factory("/stream", factory)

    def on_media(self, factory, media):
        """Called when the first player comes, and again when all have gone and one comes back."""
        feed = media.get_element().get_by_name("feed")
        self.feeds.append(feed)
        media.connect("unprepared", lambda media: self.feeds.remove(feed))

    def on_encoded(self, sink):
        sample = sink.emit("pull-sample")
        buffer = sample.get_buffer().copy()
        buffer.pts = buffer.dts = Gst.CLOCK_TIME_NONE  # a video that begins again goes on for players
        for feed in list(self.feeds):
            feed.set_property("caps", sample.get_caps())
            feed.emit("push-buffer", buffer)
        return Gst.FlowReturn.OK

    def on_message(self, bus, message, loop, errors):
        if message.type == Gst.MessageType.EOS:
            self.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
        elif message.type == Gst.MessageType.ERROR:
            errors.append(message.parse_error().gerror.message)
            loop.quit()

    def run(self):
        loop, errors = GLib.MainLoop(), []
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message, loop, errors)
        if self.rtsp.attach(None) == 0:
            return "The port is in use."
        print(f"rtsp://127.0.0.1:{self.rtsp.get_bound_port()}/stream", flush=True)
        self.pipeline.set_state(Gst.State.PLAYING)
        try:
            loop.run()
        except KeyboardInterrupt:
            pass
        self.pipeline.set_state(Gst.State.NULL)
        return "\n".join(errors) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("source")
    parser.add_argument("bundle", nargs="?", metavar="NAME.ensemble")
    arguments = parser.parse_args()
    Gst.init(None)
    sys.exit(Server(arguments.source, arguments.bundle, arguments.port).run())


if __name__ == "__main__":
    main()
