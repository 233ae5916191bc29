# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a new user is told for each way to go wrong: one message that says what happened and what to
do. Rows of scenario, command and the message's exact wording ("…" stands for anything).

messages.py TOOL DRAW-SCENES NETWORKS-FOLDER PLUGIN-FOLDER
"""
import json
import os
import pathlib
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile

TOOL, DRAW, NETWORKS, PLUGINS = map(os.path.abspath, sys.argv[1:])

PYTORCH = "export it with torch.onnx.export ()"
TENSORFLOW = "convert it with tf2onnx"
ORIGINAL = "use the ONNX file it was made from"

# ---- Files that are no ONNX model: name, contents, what the message says of them ----


def archive(*names):
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive_file:
            for name in names:
                archive_file.writestr(name, "{}")
        file.seek(0)
        return file.read()


FILES = [
    ("empty.onnx", b"", "empty, expected an ONNX model"),
    ("page.onnx", b"<!DOCTYPE html><html>404</html>",
     "not an ONNX model but a web page; download the file itself, not the page about it"),
    ("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
     "not an ONNX model but a Git LFS pointer; fetch the file itself with “git lfs pull”"),
    ("error.onnx", b"404: Not Found\n", "not an ONNX model but text"),
    ("picture.onnx", b"\xff\xd8\xff\xe0\0\x10JFIF", "not an ONNX model but a JPEG picture"),
    ("net.pt", archive("net/data.pkl"), "not an ONNX model but a PyTorch checkpoint; " + PYTORCH),
    ("old.pth", pickle.dumps({"weight": 1}, 2),
     "not an ONNX model but a Python pickle, perhaps of PyTorch; " + PYTORCH),
    ("net.keras", archive("metadata.json"), "not an ONNX model but a Keras model; " + TENSORFLOW),
    ("net.h5", b"\x89HDF\r\n\x1a\n",
     "not an ONNX model but an HDF5 file, perhaps a Keras model; " + TENSORFLOW),
    ("net.tflite", b"\x1c\0\0\0TFL3\x14\0",
     "not an ONNX model but a TensorFlow Lite model; " + TENSORFLOW),
    ("saved_model.pb", b"\x08\x01\x12\x0c\x0a\x0a\x2a\x08saved123",
     "not an ONNX model but a TensorFlow SavedModel; " + TENSORFLOW),
    ("frozen.pb", b"\x0a\x14\x0a\x05input\x12\x0bPlaceholder",
     "not an ONNX model but a frozen TensorFlow graph; " + TENSORFLOW),
    ("net.caffemodel", b"\x0a\x0aSqueezeNet\xa2\x06\x04\x0a\x02ab",
     "not an ONNX model but a Caffe model; convert it to ONNX"),
    ("deploy.prototxt", b"name: \"net\"\nlayer {\n}\n",
     "not an ONNX model but a description of a Caffe network; convert it and its weights to ONNX"),
    ("openvino.xml", b"<?xml version=\"1.0\"?>\n<net name=\"net\" version=\"11\">",
     "not an ONNX model but XML, perhaps an OpenVINO model; " + ORIGINAL),
    ("net.engine", b"ftrt\0\0\0\x01", "not an ONNX model but a TensorRT engine; " + ORIGINAL),
    ("net.param", b"7767517\n75 83\n", "not an ONNX model but a network of ncnn; " + ORIGINAL),
    ("net.ort", b"\x18\0\0\0ORTM", "not an ONNX model but in ONNX Runtime's own format; " + ORIGINAL),
    ("net.safetensors", b"\x28\0\0\0\0\0\0\0{\"weight\": {}}",
     "not an ONNX model but weights alone (safetensors); " + PYTORCH
     + " with the network they belong to"),
    ("net.onnx.gz", b"\x1f\x8b\x08\0", "not an ONNX model but compressed by gzip; unpack it"),
]

# ---- Everything else, in a folder that prepare () fills ----

NO_BUNDLE = "expected a bundle, a folder that gst-ensemble-1.0 train has written; "
TRAIN = ["train", "-o", "new.ensemble", "-w", "2", "-c", "1", "--cache", "cache", "--networks",
         "networks.json"]

ROWS = [
    ("a network that is not there", ["inspect", "nowhere.onnx"],
     "nowhere.onnx: No such file or directory"),
    ("a network that was cut off", ["inspect", "cut.onnx"],
     "cut.onnx: damaged, or not an ONNX model: ModelProto should go on for … bytes and has … (is the "
     "file complete?) at byte …"),
    ("missing external weights", ["inspect", "external.onnx"],
     "external.onnx: tensor “w” lies in the file “…/weights.bin”: No such file or directory; put the "
     "missing file beside the model, it belongs to it: “weights.bin” (1 tensor)"),
    ("an operator of another domain", ["inspect", "foreign.onnx"],
     "foreign.onnx: operators that are not supported: com.microsoft.Conv of opset 1 (node “odd”)…"),
    ("a network that takes grey images", ["train", "good", "-o", "new.ensemble", "-n",
                                          "grey.onnx,order=RGB"],
     "grey.onnx: takes images of 1 channel, but the order says 3; it should be GRAY"),
    ("memory for a plan too large", ["benchmark", "huge.onnx", "-b", "900", "-s", "4096", "-d", "cpu"],
     "running huge.onnx on 900x4096x4096x3 would take … of memory, and this machine has …: node “odd” "
     "(Conv) gives 900x4096x4096x4, …; take smaller images, fewer at a time or fewer scales"),
    ("a folder that is no bundle", ["classify", "a.jpg", "-m", "good"],
     "good: " + NO_BUNDLE + "found a folder without ensemble.json"),
    ("a network for a bundle", ["classify", "a.jpg", "-m", "grey.onnx"],
     "grey.onnx: " + NO_BUNDLE + "found a file"),
    ("a bundle that is not there", ["classify", "a.jpg", "-m", "nowhere.ensemble"],
     "nowhere.ensemble: " + NO_BUNDLE + "there is nothing of this name"),
    ("a bundle from a newer version", ["classify", "a.jpg", "-m", "newer.ensemble"],
     "newer.ensemble/ensemble.json: schema: this bundle was made by a newer version, which writes "
     "“gst-ensemble/bundle/3”; this one reads “gst-ensemble/bundle/2”; update gst-ensemble, or train "
     "the bundle again"),
    ("a bundle with a typing error", ["classify", "a.jpg", "-m", "typo.ensemble"],
     "typo.ensemble/ensemble.json: tresholds: unknown member"),
    ("a bundle without its network", ["classify", "a.jpg", "-m", "lost.ensemble"],
     "…/lost.ensemble/original.onnx: can't find this file of the bundle: No such file or directory; "
     "was its folder copied whole?"),
    ("a data set that is not there", ["evaluate", "nowhere", "-m", "good.ensemble"],
     "nowhere: found no test images; looked for test/CLASS/IMAGE with names such as *.jpg or *.png, …"),
    ("an empty class folder", TRAIN + ["empty-class"],
     "empty-class/train/b: found no image; looked for names such as *.jpg or *.png; add some, or "
     "remove the folder"),
    ("a single class", TRAIN + ["one-class"],
     "one-class: class “a”: expected training images with and without it, found 2 with and 0 without; "
     "add images of another class, or some that show none in a folder “none”"),
    ("a class that training has not", TRAIN + ["odd-class"],
     "odd-class/validation: expected one of the classes a, b, found “c”"),
    ("no images to validate with", TRAIN + ["few"],
     "few: found no validation images; looked for validation/CLASS/IMAGE with names such as *.jpg or "
     "*.png, …"),
    ("most pictures broken", TRAIN + ["broken"],
     "broken: 4 of the 4 train images can't be read; more than one in 10 is too many"),
    ("output in a folder of something else", ["train", "good", "-o", "good", "--networks",
                                              "networks.json"],
     "…/good: exists and is no bundle (it has no ensemble.json); it is left as it is, choose another "
     "name"),
    ("output that can't be written", ["train", "good", "-o", "/proc/new.ensemble", "--networks",
                                      "networks.json"],
     "/proc/new.ensemble: can't write a bundle there: No such file or directory; choose a folder that "
     "you may write to"),
    ("a cache that can't be written", ["train", "good", "-o", "new.ensemble", "--networks",
                                       "networks.json", "--cache", "/proc/cache"],
     "/proc/cache/….features: can't keep features there: No such file or directory; choose a folder "
     "that you may write to"),
    ("no network", ["train", "good", "-o", "new.ensemble"],
     "networks are needed: --network=FILE.onnx, once for each, or --networks=FILE.json"),
    ("an unknown role", ["train", "good", "-o", "new.ensemble", "-n", "grey.onnx,role=boss"],
     "--network: role expects original or retrained, got “boss”"),
    ("an unknown device", ["benchmark", "grey.onnx", "-d", "abacus"],
     "device “abacus” is unknown, expected …"),
    ("an unknown option", ["benchmark", "grey.onnx", "--fast"],
     "Unknown option --fast; see gst-ensemble-1.0 benchmark --help"),
    ("an unknown command", ["paint"],
     "gst-ensemble-1.0: there is no command “paint”; see gst-ensemble-1.0 --help"),
    ("a picture that is not there", ["classify", "-m", "good.ensemble", "nowhere.jpg"],
     "nowhere.jpg: can't read it: No such file or directory"),
    ("a picture that was never fetched", ["classify", "-m", "good.ensemble", "pointer.onnx"],
     "pointer.onnx: neither a picture nor a video but a Git LFS pointer; fetch the file itself with "
     "“git lfs pull”"),
    ("text for a picture", ["classify", "-m", "good.ensemble", "net.engine"],
     "net.engine: neither a picture nor a video that GStreamer knows; if it is one, convert it to "
     "JPEG, PNG or MP4"),
    ("sound for a video", ["classify", "-m", "good.ensemble", "sound.wav"],
     "sound.wav: holds no video"),
    ("a video without pictures", ["classify", "-m", "good.ensemble", "none.mkv"],
     "none.mkv: holds no picture"),
]

# What is told while all goes on.
NOTES = [
    ("labels of another network", ["inspect", "labelled.onnx"],
     "labels stated in labelled.json: expected one for each of the network's 4 outputs, found 2; they "
     "are left out"),
    ("no validation split", TRAIN + ["unsplit"],
     "unsplit: no validation images; 2 of the 4 training images are held out for validation"),
    ("another order than was guessed", ["train", "good", "-o", "bgr.ensemble", "-w", "2", "-c", "1",
                                        "--cache", "cache", "-n", "huge.onnx,order=BGR,size=32"],
     "order bgr as told mean 103.53 116.28 123.6"),
    ("a grey picture", ["classify", "-m", "good.ensemble", "grey.jpg"], "grey.jpg"),
]


def put(path, contents):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)


def message(text):
    """Protobuf: fields as (number, number or bytes)."""
    out = b""
    for number, value in text:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def value_info(name, dims):
    shape = b"".join(message([(1, message([(1, d)] if d > 0 else [(2, "N")]))]) for d in dims)
    return message([(1, name), (2, message([(1, message([(1, 1), (2, shape)]))]))])


def make_network(channels, domain="", external=False):
    """x → Conv → Relu → Conv → GlobalAveragePool, with 4 filters of 1 × 1 each."""
    weights = [(1, 4), (1, channels), (1, 1), (1, 1), (2, 1), (8, "w")]
    others = [(1, 4), (1, 4), (1, 1), (1, 1), (2, 1), (8, "v"), (9, b"\0\0\x80\x3f" * 16)]
    if external:
        weights += [(13, message([(1, "location"), (2, "weights.bin")])), (14, 1)]
    else:
        weights += [(9, b"\0\0\x80\x3f" * 4 * channels)]
    node = [(1, "x"), (1, "w"), (2, "y"), (3, "odd"), (4, "Conv"), (7, domain)]
    more = [(1, "y"), (2, "z"), (3, "more"), (4, "Relu")]
    last = [(1, "z"), (1, "v"), (2, "l"), (3, "last"), (4, "Conv")]
    pool = [(1, "l"), (2, "p"), (3, "pool"), (4, "GlobalAveragePool")]
    graph = [(1, message(node)), (1, message(more)), (1, message(last)), (1, message(pool)),
             (2, "net"), (5, message(weights)), (5, message(others)), (11, value_info("x", [0, channels, 0, 0])),
             (12, value_info("p", [0, 4, 1, 1]))]
    return message([(1, 7), (7, message(graph)), (8, message([(2, 13)])),
                    (8, message([(1, domain or "other"), (2, 1)]))])


def prepare():
    for name, contents, _ in FILES:
        put(name, contents)
    for name in ["networks.json", "original.onnx", "retrained.onnx"]:
        shutil.copy(pathlib.Path(NETWORKS) / name, name)
    put("cut.onnx", pathlib.Path("original.onnx").read_bytes()[:3000])
    put("external.onnx", make_network(3, external=True))
    put("foreign.onnx", make_network(3, domain="com.microsoft"))
    put("grey.onnx", make_network(1))
    put("huge.onnx", make_network(3))
    put("labelled.onnx", make_network(3))
    put("labelled.json", "{\"labels\": [\"cat\", \"dog\"]}")
    run_program(DRAW, "set", "drawn", "--train=3", "--validation=1", "--test=1")
    pictures = sorted(pathlib.Path("drawn/train").glob("*/*.jpg"))
    sets = {"good": ["train/a", "train/b", "validation/a", "validation/b"],
            "empty-class": ["train/a", "train/b"], "one-class": ["train/a", "validation/a"],
            "odd-class": ["train/a", "train/b", "validation/c"], "few": ["train/a", "train/b"],
            "unsplit": ["train/a", "train/b"],
            "broken": ["train/a", "train/b", "validation/a", "validation/b"]}
    for name, folders in sets.items():
        for i, folder in enumerate(folders):
            n = 1 if name == "few" else 2
            for picture in pictures[2 * i:2 * i + n]:
                put(f"{name}/{folder}/{picture.name}", picture.read_bytes())
    for picture in pathlib.Path("empty-class/train/b").iterdir():
        picture.unlink()
    for picture in pathlib.Path("broken/train").glob("*/*"):
        picture.write_text("no picture")
    run_program("gst-launch-1.0", "-q", "audiotestsrc", "num-buffers=3", "!", "wavenc", "!",
                "filesink", "location=sound.wav")
    run_program("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!", "video/x-raw,format=GRAY8",
                "!", "jpegenc", "!", "filesink", "location=grey.jpg")
    run_program("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=0", "!", "matroskamux", "!",
                "filesink", "location=none.mkv")
    result = run_program(TOOL, *TRAIN[:2], "good.ensemble", *TRAIN[3:], "good")
    if result.returncode != 0:
        sys.exit(f"train: {result.stderr}")
    spoil_bundles()


def spoil_bundles():
    for name, change in [("newer", {"schema": "gst-ensemble/bundle/3"}), ("typo", {"tresholds": 0}),
                         ("lost", {})]:
        folder = pathlib.Path(f"{name}.ensemble")
        shutil.copytree("good.ensemble", folder)
        file = folder / "ensemble.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    pathlib.Path("lost.ensemble/original.onnx").unlink()


def run_program(program, *arguments, limit=None, stdout=subprocess.PIPE, **environment):
    def set_limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=300,
                          preexec_fn=set_limit if limit else None,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **environment})


failures = []


def matches(expected, line):
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line) is not None


def check(scenario, expected, result, prefix):
    lines = [re.sub(r"^gst-ensemble-1\.0 \w+: ", "", line) for line in result.stderr.splitlines()]
    if result.returncode not in (1, 2):
        failures.append(f"{scenario}: exit status {result.returncode}\n{result.stderr}")
    elif not any(matches(prefix + expected, line) for line in lines):
        failures.append(f"{scenario}: expected\n  {prefix + expected}\ngot\n  {result.stderr}")


def check_tool():
    for name, _, expected in FILES:
        check(name, expected, run_program(TOOL, "inspect", name), f"{name}: ")
    for scenario, arguments, expected in ROWS:
        check(scenario, expected, run_program(TOOL, *arguments), "")
    for scenario, arguments, expected in NOTES:
        result = run_program(TOOL, *arguments)
        said = " ".join((result.stdout + result.stderr).split())
        if result.returncode != 0 or expected not in said:
            failures.append(f"{scenario}: expected\n  {expected}\ngot\n  {said}")
    for name, arguments in FULL:
        check(f"a full disk: {name}", f"{name}: can't write…: File too large; free some space there or "
              "choose another folder", run_program(TOOL, *arguments, limit=4096), "")
    with open("/dev/full", "w", encoding="utf-8") as full:
        check("a full disk: standard output", "standard output: can't write it: No space left on "
              "device; free some space there or choose another folder",
              run_program(TOOL, "inspect", "original.onnx", stdout=full), "gst-ensemble-1.0: ")
    check("a missing decoder", "moving.mkv: GStreamer lacks a plug-in for it: JPEG decoder; install the "
          "package that has it, such as gstreamer1.0-libav", without_decoder(), "")


def without_decoder():
    run_program("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=2", "!", "jpegenc", "!",
                "matroskamux", "!", "filesink", "location=moving.mkv")
    return run_program(TOOL, "classify", "-m", "good.ensemble", "moving.mkv",
                       GST_PLUGIN_FEATURE_RANK="jpegdec:NONE,avdec_mjpeg:NONE")


# ---- Files that may not grow beyond 4 KiB: what is written, by which command ----

RETRAIN = ["retrain", "good", "-n", "original.onnx", "-e", "1", "-b", "2"]
FULL = [
    ("…: cache-2/….features", [*TRAIN[:-4], "--cache", "cache-2", *TRAIN[-2:], "good"]),
    ("….ensemble.…/….onnx", [*TRAIN, "good"]),
    ("full.html", ["evaluate", "-m", "good.ensemble", "good", "--split", "validation", "--report",
                   "full.html"]),
    ("full.svg", ["inspect", "original.onnx", "--draw", "full.svg"]),
    ("full.checkpoint", [*RETRAIN, "-o", "full.onnx"]),
]

# ---- The element: what is said on the bus ----

SOURCE = "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=64"
ELEMENTS = [
    ("no model", f"{SOURCE} ! ensembleclassify ! fakesink",
     "No model: set the property \"model\" to a bundle's folder"),
    ("a model that is not there", f"{SOURCE} ! ensembleclassify model=nowhere ! fakesink",
     "nowhere: " + NO_BUNDLE + "there is nothing of this name"),
    ("a network for a model", f"{SOURCE} ! ensembleclassify model=grey.onnx ! fakesink",
     "grey.onnx: " + NO_BUNDLE + "found a file"),
    ("a bundle from a newer version", f"{SOURCE} ! ensembleclassify model=newer.ensemble ! fakesink",
     "newer.ensemble/ensemble.json: schema: this bundle was made by a newer version, …"),
    ("an unknown device", f"{SOURCE} ! ensembleclassify model=good.ensemble device=abacus ! fakesink",
     "device “abacus” is unknown, expected …"),
]


def check_element():
    for scenario, pipeline, expected in ELEMENTS:
        result = run_program("gst-launch-1.0", *pipeline.split(), GST_PLUGIN_PATH=PLUGINS)
        said = re.findall(r"^ERROR: .*?ensembleclassify\d+: (.*)$", result.stderr, re.MULTILINE)
        if not any(matches(expected, line) for line in said):
            failures.append(f"{scenario}: expected\n  {expected}\ngot\n  {result.stderr}")


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    prepare()
    check_tool()
    check_element()
print("\n".join(failures))
sys.exit(1 if failures else 0)
