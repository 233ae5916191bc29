#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Follows a camera or a video, and prints what appears and disappears, with its place in the frame:

    read-results.py NAME.ensemble [SOURCE …]

SOURCE is the beginning of a pipeline, as gst-launch-1.0 takes it, such as

    read-results.py site.ensemble v4l2src
    read-results.py site.ensemble filesrc location=street.mp4 ! decodebin

Without one, a test picture moves. Needs the bindings of GStreamer and of gst-ensemble
(GstEnsemble-1.0.typelib)."""
import signal
import sys

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstEnsemble", "1.0")
from gi.repository import GLib, Gst, GstEnsemble

TEST_SOURCE = ["videotestsrc", "is-live=true", "pattern=ball", "num-buffers=100"]


class Watcher:
    """What is present, frame by frame."""

    def __init__(self):
        self.present = set()
        self.result = None

    def on_buffer(self, pad, info):
        """Called in the streaming thread for each frame."""
        meta = GstEnsemble.buffer_get_ensemble_meta(info.get_buffer())
        if meta is None:  # the first frames of a live source carry no result yet
            return Gst.PadProbeReturn.OK
        # In async mode several frames carry the same result; its time tells it from the next.
        if meta.get_pts() != self.result:
            self.result = meta.get_pts()
            self.on_result(meta)
        return Gst.PadProbeReturn.OK

    def on_result(self, meta):
        result = meta.get_result()
        classes = [result.get_class(i) for i in range(result.n_classes)]
        present = {found.name for found in classes if found.present}
        for found in classes:
            if found.present and found.name not in self.present:
                print(f"+ {found.name} {found.p:.2f}{self.place(result, found)}", flush=True)
        for name in sorted(self.present - present):
            print(f"- {name}", flush=True)
        self.present = present

    @staticmethod
    def place(result, found):
        if found.window < 0:  # the ensemble looks at no windows (region proposals)
            return ""
        window = result.get_window(found.window)  # owns the rectangle, so it must not go before
        rect = window.rect
        return f" at ({rect.x:.2f}, {rect.y:.2f}), {rect.width:.2f} × {rect.height:.2f} of the frame"


def on_message(bus, message, loop, errors):
    if message.type == Gst.MessageType.ERROR:
        errors.append(message.parse_error().gerror.message)
    elif message.type == Gst.MessageType.WARNING:
        print(message.parse_warning().gerror.message, file=sys.stderr)
    if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
        loop.quit()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as for any program whose reader, such as head, goes
    Gst.init(None)
    source = " ".join(sys.argv[2:] or TEST_SOURCE)
    pipeline = Gst.parse_launch(f"{source} ! videoconvert ! ensembleclassify name=classify ! "
                                "fakesink name=sink sync=true")
    pipeline.get_by_name("classify").set_property("model", sys.argv[1])
    watcher, errors, loop = Watcher(), [], GLib.MainLoop()
    pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER,
                                                                 watcher.on_buffer)
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop, errors)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)
    sys.exit("\n".join(errors) or None)


if __name__ == "__main__":
    main()
