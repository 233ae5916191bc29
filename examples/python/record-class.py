#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a clip whenever a class appears before a camera:

    record-class.py SOURCE NAME.ensemble CLASS FOLDER

SOURCE is the address of a camera (rtsp://…) or a file. Clips begin two seconds before the class appears
and end two seconds after it has left. They hold what the camera sent, not encoded again, as Matroska."""
import collections
import datetime
import pathlib
import sys

import gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

BEFORE = AFTER = 2 * Gst.SECOND


class Clip:
    """A file that is written."""

    def __init__(self, path, caps):
        self.path, self.end = path, None
        self.pipeline = Gst.parse_launch("appsrc name=feed format=time ! parsebin ! "
                                         "matroskamux offset-to-zero=true ! filesink name=file")
        self.pipeline.get_by_name("file").set_property("location", str(path))
        self.feed = self.pipeline.get_by_name("feed")
        self.feed.set_property("caps", caps)
        self.pipeline.set_state(Gst.State.PLAYING)

    def write(self, buffer):
        self.feed.emit("push-buffer", buffer)

    def close(self):
        self.feed.emit("end-of-stream")
        message = self.pipeline.get_bus().timed_pop_filtered(
            5 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        self.pipeline.set_state(Gst.State.NULL)
        if message is None or message.type == Gst.MessageType.ERROR:
            print(f"{self.path}: could not be completed", file=sys.stderr)
        else:
            print(self.path, flush=True)


class Recorder:
    """Keeps the last seconds of the stream in memory, to begin a clip with. Used by the main thread."""

    def __init__(self, wanted, folder):
        self.wanted, self.folder = wanted, folder
        self.groups = collections.deque()  # of buffers, each group beginning with a key frame
        self.caps = self.clip = None
        self.now = 0

    def on_sample(self, sample):
        buffer = sample.get_buffer()
        self.caps = sample.get_caps()
        if buffer.pts != Gst.CLOCK_TIME_NONE:
            self.now = buffer.pts
        if not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT):
            self.groups.append([])
            while len(self.groups) > 1 and self.groups[1] and self.groups[1][0].pts + BEFORE < self.now:
                self.groups.popleft()
        if self.groups:
            self.groups[-1].append(buffer)
        if self.clip:
            self.clip.write(buffer)
            if self.clip.end is not None and self.now > self.clip.end:
                self.stop()
        return GLib.SOURCE_REMOVE

    def on_event(self, name, fields):
        if fields.get_string("class") != self.wanted:
            return
        if name == "class-left" and self.clip:
            self.clip.end = self.now + AFTER
        elif name == "class-appeared" and self.clip:
            self.clip.end = None
        elif name == "class-appeared" and self.groups:
            name = datetime.datetime.now().strftime(f"%Y%m%d-%H%M%S-{self.wanted}.mkv")
            self.clip = Clip(self.folder / name, self.caps)
            for buffer in (buffer for group in self.groups for buffer in group):
                self.clip.write(buffer)

    def stop(self):
        if self.clip:
            self.clip.close()
            self.clip = None


def make_pipeline(source, bundle, recorder):
    """The stream goes two ways: to the recorder as it is, and decoded to the ensemble."""
    pipeline = Gst.parse_launch(
        "urisourcebin name=source ! parsebin name=parse  tee name=stream "
        "stream. ! queue ! appsink name=encoded emit-signals=true "
        "stream. ! queue ! decodebin ! videoconvert ! "
        "ensembleclassify name=classify mode=async ! fakesink sync=true")
    uri = source if Gst.uri_is_valid(source) else Gst.filename_to_uri(source)
    pipeline.get_by_name("source").set_property("uri", uri)
    pipeline.get_by_name("classify").set_property("model", bundle)

    def on_stream(parse, pad):
        sink = pipeline.get_by_name("stream").get_static_pad("sink")
        if pad.query_caps(None).get_structure(0).get_name().startswith("video/") and not sink.is_linked():
            pad.link(sink)

    def on_encoded(sink):  # in a streaming thread
        GLib.idle_add(recorder.on_sample, sink.emit("pull-sample"), priority=GLib.PRIORITY_DEFAULT)
        return Gst.FlowReturn.OK

    pipeline.get_by_name("parse").connect("pad-added", on_stream)
    pipeline.get_by_name("encoded").connect("new-sample", on_encoded)
    return pipeline


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    Gst.init(None)
    source, bundle, wanted, folder = sys.argv[1:]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    recorder, loop, errors = Recorder(wanted, pathlib.Path(folder)), GLib.MainLoop(), []
    pipeline = make_pipeline(source, bundle, recorder)

    def on_message(bus, message):
        if message.type == Gst.MessageType.ELEMENT:
            fields = message.get_structure()
            if fields.get_name() in ("class-appeared", "class-left"):
                recorder.on_event(fields.get_name(), fields)
        elif message.type == Gst.MessageType.ERROR:
            errors.append(message.parse_error().gerror.message)
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)
    recorder.stop()
    sys.exit("\n".join(errors) or None)


if __name__ == "__main__":
    main()
