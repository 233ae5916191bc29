# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs gst-ensemble-1.0 as a user does: what it says of wrong arguments, and the whole way from
pictures to tags on a small drawn set.

command-line.py TOOL DRAW-SCENES NETWORKS.json
"""
import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import xml.etree.ElementTree as xml
import zlib

TOOL, DRAW, NETWORKS = sys.argv[1:]
ORIGINAL = os.path.join(os.path.dirname(NETWORKS), "original.onnx")

# Arguments, exit status, what is said.
ROWS = [
    ([], 2, "Usage:"),
    (["--help"], 0, "benchmark"),
    (["--version"], 0, "gst-ensemble-1.0 "),
    (["paint"], 2, "there is no command “paint”"),
    (["train"], 2, "expected DATASET, got 0 arguments"),
    (["train", "set"], 2, "--output=BUNDLE is needed"),
    (["train", "set", "-o", "x.ensemble"], 2, "networks are needed"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,rôle=original"], 2, "one of role=, name="),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,framing=round"], 2,
     "framing expects scale, crop, letterbox or stretch, got “round”"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,flip=maybe"], 2,
     "flip expects yes or no, got “maybe”"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,window-framing=scale"], 2,
     "window-framing expects crop, letterbox or stretch, got “scale”"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,crop=2"], 2, "a share from 0.01 to 1"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,role=boss"], 2, "original or retrained, got"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,mean=1+2"], 2, "mean expects one number"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,scales=0"], 2, "expects sizes in pixels"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,std=0"], 2, "std expects numbers above 0"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,mean=104/117/123"], 2,
     "mean expects one number, or three such as 104+117+123, got “104/117/123”"),
    (["train", "set", "-o", "x.ensemble", "--networks", "nowhere.json"], 1, "nowhere.json"),
    (["train", "nowhere", "-o", "x.ensemble", "--networks", NETWORKS], 1, "nowhere"),
    (["train", "set", "-o", "x.ensemble", "--method", "best"], 2, "standard, document or document-sigmoid, got"),
    (["train", "set", "-o", "x.ensemble", "--gate=magic"], 1, "gate: expected a kind of gate"),
    (["train", "set", "-o", "x.ensemble", "--gate=nearest,keep=2"], 1, "from 0 to 1, found “2”"),
    (["train", "set", "-o", "x.ensemble", "-w", "-3"], 2, "--windows expects at least 0, got -3"),
    (["retrain"], 2, "expected DATASET, got 0 arguments"),
    (["retrain", "set", "-o", "x.onnx"], 2, "--network=FILE.onnx is needed"),
    (["retrain", "set", "-n", "a.onnx"], 2, "--output=FILE.onnx is needed"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "-e", "0"], 2, "--epochs expects at least 1"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "--coverage=all"], 2, "max, union or image"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "-r", "nowhere/x.html"], 1, "nowhere/x.html"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "--sub-images=some"], 2, "or all, got “some”"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "--memory=-1"], 2, "--memory expects at least 0"),
    (["retrain", "set", "-n", "a.onnx", "-o", "x.onnx", "--sub-image-size=-1"], 2, "at least 0, got -1"),
    (["retrain", "set", "-n", "nowhere.onnx", "-o", "x.onnx"], 1, "nowhere.onnx"),
    (["train-contour", "set"], 2, "--output=FILE.onnx is needed"),
    (["train-contour", "set", "-o", "x.onnx", "--module=vgg"], 2, "resnet, densenet or senet, got"),
    (["train-contour", "set", "-o", "x.onnx", "--unify=linear,nearest"], 2,
     "one name, or one for each of 5 levels; got 2"),
    (["train-contour", "set", "-o", "x.onnx", "--unify=cubic"], 2, "linear, nearest or transposed, got"),
    (["train-contour", "set", "-o", "x.onnx", "--balance=maybe"], 2, "off or on, got “maybe”"),
    (["train-contour", "set", "-o", "x.onnx", "--crops=0"], 2, "--crops expects at least 1, got 0"),
    (["train-contour", "nowhere", "-o", "x.onnx"], 1, "nowhere: can't read this folder"),
    (["train-fused", "set", "-o", "x.onnx"], 2, "--contour=FILE.onnx is needed"),
    (["train-fused", "set", "-o", "x.onnx", "--contour=c.onnx"], 2, "--backbone=FILE.onnx is needed"),
    (["train-fused", "set", "-o", "x.onnx", "--contour=c.onnx", "--backbone=b.onnx", "--fusion=sum"], 2,
     "convolve or concat, got “sum”"),
    (["train-fused", "set", "-o", "x.onnx", "--contour=c.onnx", "--backbone=b.onnx", "--update=all"], 2,
     "both, head or backbone, got “all”"),
    (["train-fused", "set", "-o", "x.onnx", "--contour=c.onnx", "--backbone=b.onnx", "--dropout=1"], 2,
     "--dropout expects a share below 1, got 1"),
    (["train-fused", "set", "-o", "x.onnx", "--contour=c.onnx", "--backbone=nowhere.onnx"], 1,
     "nowhere.onnx"),
    (["train-network"], 2, "expected DATASET, got 0 arguments"),
    (["train-network", "set"], 2, "--output=FILE.onnx is needed"),
    (["train-network", "set", "-o", "x.onnx", "--depth=51"], 1, "there are 50, 101, 152, small"),
    (["train-network", "set", "-o", "x.onnx", "--depth=1,x"], 2, "--depth expects blocks of 1 to 8"),
    (["train-network", "set", "-o", "x.onnx", "--width=8,8,8,8,8"], 2, "--width expects channels"),
    (["train-network", "set", "-o", "x.onnx", "--initial=32"], 2, "--initial expects channels, kernel"),
    (["train-network", "set", "-o", "x.onnx", "--regulariser=half"], 2, "mean-as-written or off, got"),
    (["train-network", "set", "-o", "x.onnx", "--regulariser=sum,a"], 2, "a share of the weight decay"),
    (["train-network", "set", "-o", "x.onnx", "--weight-decay=-2"], 2, "--weight-decay expects at least"),
    (["train-network", "nowhere", "-o", "x.onnx"], 1, "nowhere"),
    (["train-style"], 2, "--from=FOLDER is needed"),
    (["train-style", "--from", "a"], 2, "--to=FOLDER is needed"),
    (["train-style", "--from", "a", "--to", "b"], 2, "--output=FILE.onnx is needed"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--sizes=1,2,3"], 2, "--sizes expects one size"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--losses=10"], 2, "--losses expects two"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--losses=1,x"], 2, "--losses expects two"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--crop=0"], 2, "--crop expects at least 1"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--adversarial=fair"], 2,
     "least-squares or logistic, got “fair”"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--start=fair"], 2, "--start expects"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "-m", "nowhere"], 1, "nowhere"),
    (["train-style", "--from", "a", "--to", "b", "-o", "x.onnx", "--test", "c"], 2, "--test needs --model"),
    (["train-style", "--from", "nowhere", "--to", "b", "-o", "x.onnx"], 1, "nowhere"),
    (["train", "set", "-o", "x.ensemble", "--retrain=-1"], 2, "--retrain expects at least 0, got -1"),
    (["evaluate", "set"], 2, "--model=BUNDLE is needed"),
    (["evaluate", "set", "-m", "x.ensemble", "--split", "exam"], 2, "train, validation or test"),
    (["evaluate", "set", "-m", "nowhere.ensemble"], 1, "nowhere.ensemble"),
    (["evaluate", "set", "-m", "x.ensemble", "-r", "/nowhere/a.html"], 1, "in the folder /nowhere"),
    (["evaluate", "set", "-m", "x.ensemble", "-r", "/"], 1, "can't write it: a folder"),
    (["classify", "a.jpg"], 2, "--model=BUNDLE is needed"),
    (["classify", "a.jpg", "-m", "nowhere.ensemble"], 1, "nowhere.ensemble"),
    (["classify", "a.jpg", "-m", "x.ensemble", "-s", "big"], 2, "--scales expects sizes"),
    (["classify", "a.jpg", "-m", "x.ensemble", "--sub-images=yes"], 2, "off, on or both, got “yes”"),
    (["classify", "a.jpg", "-m", "x.ensemble", "--max-sub-images=-1"], 2, "expects at least 0"),
    (["classify", "a.jpg", "-m", "x.ensemble", "--gate=maybe"], 2, "on or off, got “maybe”"),
    (["zero-shot"], 2, "expected VECTORS, got 0 arguments"),
    (["zero-shot", "v.npy"], 2, "--network=FILE.onnx, which embeds pictures, is needed"),
    (["zero-shot", "v.npy", "-n", ORIGINAL], 2, "--output=BUNDLE, a folder to write, is needed"),
    (["zero-shot", "v.npy", "-n", ORIGINAL, "-o", "x", "--link=tanh"], 2, "sigmoid or softmax, got “tanh”"),
    (["zero-shot", "v.npy", "-n", ORIGINAL, "-o", "x", "--temperature=0"], 2, "--temperature expects at least"),
    (["zero-shot", "nowhere.npy", "-n", ORIGINAL, "-o", "x"], 1, "nowhere.npy: "),
    (["inspect", "nowhere.onnx"], 1, "nowhere.onnx"),
    (["inspect", NETWORKS], 1, "networks.json"),
    (["inspect", ORIGINAL, "--draw=/nowhere/a.svg"], 1, "/nowhere/a.svg: can't write it"),
    (["inspect", os.path.dirname(NETWORKS), "--draw=a.svg"], 2, "--draw is for a network"),
    (["benchmark", "nowhere.onnx"], 1, "nowhere.onnx"),
    (["benchmark", "a.onnx", "-d", "abacus"], 1, "abacus"),
    (["benchmark", "a.onnx", "-d", "vulkan:no such GPU"], 1, "vulkan:no such GPU"),
    (["devices"], 0, "--device auto takes "),
    (["extract", "set"], 2, "networks are needed"),
    (["extract", "set", "--share=0/2"], 2, "--share expects I/N"),
    (["extract", "set", "--share=2/3x"], 2, "--share expects I/N"),
    (["extract", "set", "--shares=0"], 2, "--shares expects at least 1"),
    (["extract", "set", "--shares=1000001"], 2, "--shares expects at most 1000000"),
    (["extract", "set", "--workers=mqtt://host"], 2, "--cache=FOLDER is needed"),
    (["extract", "set", "--cache=c", "--workers=kafka://host/jobs"], 2, "expects mqtt://HOST"),
    (["extract", "set", "--cache=c", "--share=1/2", "--workers=mqtt://host"], 2, "exclude each other"),
    (["worker"], 2, "expected BROKER, got 0 arguments"),
    (["worker", "-m", "x.ensemble", "--lease=0", "mqtt://host"], 2, "--lease expects at least 1"),
    (["worker", "-m", "x.ensemble", "amqp://host"], 1, "expected mqtt://HOST"),
    (["worker", "-m", "x.ensemble", "mqtt://user:word@host"], 1, "an address without a password"),
    (["worker", "-m", "x.ensemble", "--secret=word", "mqtt://host"], 1, "expected file:PATH or env:NAME"),
    (["watch", "none.conf"], 1, "none.conf: No such file"),
    (["selftest", "-d", "cpu"], 0, " passed."),
    (["devices", "vulkan"], 2, "expected no arguments, got 1"),
    (["benchmark", "a.onnx", "-b", "0"], 2, "--batch expects at least 1, got 0"),
    (["benchmark", "a.onnx", "--baatch=0"], 2, "see gst-ensemble-1.0 benchmark --help"),
    (["classify", "a.jpg", "-m", "x.ensemble", "-t", "-1"], 2, "--threads expects at least 0"),
    (["help"], 0, "benchmark"),
    (["help", "train"], 0, "Usage: gst-ensemble-1.0 train"),
    (["help", "paint"], 2, "there is no command “paint”"),
    (["windows", "nowhere"], 1, "expected a folder with the files of COCO"),
    (["windows", "nowhere", "-p", "best"], 2, "fast, balanced or quality"),
]

failures = []


def run(*arguments, program=TOOL):
    return subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600)


def expect(condition, what, result):
    if not condition:
        failures.append(f"{what}: exit status {result.returncode}\n{result.stdout}{result.stderr}")


def check_arguments():
    for arguments, status, said in ROWS:
        result = run(*arguments)
        expect(result.returncode == status and said in result.stdout + result.stderr,
               f"{arguments} should exit with {status} and say “{said}”", result)


def run_on_terminal(*arguments, columns=80):
    """Lines that the tool prints to a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    printed = b""
    with subprocess.Popen([TOOL, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=its,
                          stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"}):
        os.close(its)
        try:
            while more := os.read(ours, 4096):
                printed += more
        except OSError:  # the tool has closed its end
            pass
    os.close(ours)
    return printed.decode().splitlines()


def check_width(network):
    lines = run_on_terminal("inspect", network)
    # Names of taps are there to be copied.
    lines = lines[:next(i for i, line in enumerate(lines) if line.startswith("Features can"))]
    wide = [line for line in lines if len(line) > 80]
    if wide or not any("…" in line for line in lines):
        failures.append("inspect is wider than a terminal:\n" + "\n".join(wide))


def check_inspection(folder):
    network = pathlib.Path(NETWORKS).parent / "original.onnx"
    result = run("inspect", network)
    expect(result.returncode == 0 and "Features can be tapped at" in result.stdout
           and "127.5" in result.stdout and "stated in networks.json" in result.stdout, "inspect",
           result)
    check_width(network)
    drawing = folder / "original.svg"
    result = run("inspect", network, f"--draw={drawing}")
    root = xml.parse(drawing).getroot() if drawing.is_file() else None
    expect(result.returncode == 0 and root is not None and root.tag.endswith("svg")
           and "original.onnx" in "".join(root.itertext()) and str(drawing) in result.stdout,
           "inspect --draw", result)
    result = run("benchmark", network, "-n", 1, "-s", 64)
    expect(result.returncode == 0 and "GFLOP/s" in result.stdout, "benchmark", result)
    drawn = run("boxes", folder / "boxes", "--train=1", "--validation=4", "--test=1", "--size=120", program=DRAW)
    result = run("windows", folder / "boxes")
    expect(result.returncode == 0 and "MABO" in result.stdout, "windows", drawn)


def check_training(folder):
    run("set", folder / "set", "--train=4", "--validation=3", "--test=3", "--size=120", program=DRAW)
    # For what asks whether a command works, not what it learns.
    run("set", folder / "few", "--train=2", "--validation=1", "--test=1", "--size=120", program=DRAW)
    bundle = folder / "drawn.ensemble"
    train = ["train", folder / "set", "-o", bundle, "--networks", NETWORKS, "--cache",
             folder / "cache", "-w", 10, "-c", 1]
    result = run(*train)
    expect(result.returncode == 0 and bundle.is_dir() and "without windows" in result.stdout
           and "cross-fitted" in result.stdout and "as told" in result.stdout
           and "original" in result.stdout and "The one marked (*) is used." in result.stdout
           and "false alarms" in result.stdout and "windows (region proposals): mAP" in result.stderr,
           "train", result)
    first = (bundle / "ensemble.json").read_bytes() if bundle.is_dir() else b""
    result = run(*train)
    expect(result.returncode == 0 and (bundle / "ensemble.json").read_bytes() == first,
           "training again from kept features should give the same bundle", result)
    result = run(*train, "--method=document-sigmoid", "--one-class=car")
    expect(result.returncode == 0 and "with windows" in result.stdout
           and json.loads((bundle / "ensemble.json").read_text())["fusion"]["kind"]
           == "probabilities", "train --method=document-sigmoid", result)
    result = run("inspect", bundle)
    expect("max (P2, P3)" in result.stdout, "inspect the document's form", result)
    run(*train)
    report = folder / "report.html"
    result = run("evaluate", folder / "set", "-m", bundle, "--json", "--report", report)
    expect(result.returncode == 0 and json.loads(result.stdout)["schema"], "evaluate", result)
    page = report.read_text() if report.is_file() else ""
    expect(page.startswith("<!DOCTYPE html>") and ">car<" in page and "data:image/jpeg" in page,
           "evaluate should write a report", result)
    check_retraining(folder)
    check_contours(folder)
    check_fused(folder)
    check_own_network(folder)
    check_chain(folder)
    check_classification(folder, bundle)
    result = run("inspect", bundle)
    expect(result.returncode == 0 and "8 classes" in result.stdout and "{" not in result.stdout
           and "mean average precision  accuracy" in result.stdout
           and "validation images" in result.stdout, "inspect a bundle", result)


def write_png(path, width, height, pixel):
    """pixel (x, y) is a byte for grey pictures, three for coloured ones."""
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    colour = 0 if len(pixel(0, 0)) == 1 else 2
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks))


def check_contours(folder):
    for name, x0 in ("train/1", 20), ("train/2", 30), ("val/3", 25):
        def is_inside(x, y):
            return x0 <= x < x0 + 24 and 12 <= y < 40
        write_png(folder / f"contours/{name}.png", 80, 60,
                  lambda x, y: (200, 90, 40) if is_inside(x, y) else (60, 70, 90))
        write_png(folder / f"contours/{name}_gt.png", 80, 60,
                  lambda x, y: (255 * (is_inside(x, y) != is_inside(x + 1, y)),))
    output, report = folder / "contour.onnx", folder / "contour.html"
    arguments = ["train-contour", folder / "contours", "-o", output, "--report", report]
    result = run(*arguments, "-e", 1, "--crops=2", "--crop=48", "--module=senet",
                 "--unify=linear,nearest,linear,linear,transposed")
    expect(result.returncode == 0 and "Canny" in result.stdout and output.is_file()
           and "1 photographs of the validation split" in result.stdout, "train-contour", result)
    page = report.read_text() if report.is_file() else ""
    expect(page.startswith("<!DOCTYPE html>") and page.count("data:image/jpeg") == 1
           and "Learning rate" in page, "train-contour should write a report", result)
    again = run(*arguments, "--evaluate")
    table = again.stdout.split("split")[0]
    expect(again.returncode == 0 and table in result.stdout, "train-contour --evaluate", again)
    result = run("inspect", output)
    expect(result.returncode == 0 and "unified5" in result.stdout
           and "stated in contour.json" in result.stdout, "inspect a contour network", result)


def check_fused(folder):
    """On the contour network of check_contours (); the result is a member of an ensemble."""
    backbone = pathlib.Path(NETWORKS).parent / "retrained.onnx"
    output, bundle = folder / "fused.onnx", folder / "fused.ensemble"
    result = run("train-fused", folder / "few", "-o", output, "--contour", folder / "contour.onnx",
                 "--backbone", backbone, "-e", 1, "-b", 8, "--augment=crop")
    expect(result.returncode == 0 and output.is_file()
           and "exchanged colour channels: loss" in result.stdout, "train-fused", result)
    result = run("inspect", output)
    expect(result.returncode == 0 and "contour/feature" in result.stdout
           and "fusion2" in result.stdout and "stated in fused.json" in result.stdout,
           "inspect a fused network", result)
    result = run("train", folder / "few", "-o", bundle, "-n", output, "--cache", folder / "cache",
                 "-w", 1, "-c", 1)
    settings = json.loads((bundle / "ensemble.json").read_text()) if bundle.is_dir() else {}
    expect(result.returncode == 0
           and [n["taps"] for n in settings.get("networks", [])] == [["fusion2", "logits"]],
           "a fused network as a member", result)


def check_retraining(folder):
    network = pathlib.Path(NETWORKS).parent / "retrained.onnx"
    output = folder / "drawn.onnx"
    report = folder / "drawn.html"
    result = run("retrain", folder / "set", "-n", network, "-o", output, "-e", 1, "-b", 8,
                 "--report", report)
    lines = (folder / "drawn.jsonl").read_text().splitlines() if output.is_file() else []
    expect(result.returncode == 0 and "8 classes" in result.stdout and lines
           and json.loads(lines[-1])["event"] == "end", "retrain", result)
    page = report.read_text() if report.is_file() else ""
    expect(page.startswith("<!DOCTYPE html>") and page.count("data:image/jpeg") == 12
           and "Learning rate" in page, "retrain should write a report", result)
    result = run("inspect", output)
    expect(result.returncode == 0 and "8: balloon" in result.stdout
           and "stated in drawn.json" in result.stdout, "inspect a retrained network", result)


def check_own_network(folder):
    output = folder / "own.onnx"
    own = ["train-network", folder / "few", "-o", output, "-e", 1, "-b", 8, "--width=8", "--initial=8,3,2"]
    result = run(*own, "--size=16")
    expect(result.returncode == 1 and "stage3: of pictures of 16×16 its block 1 leaves a map of 1×1"
           in result.stderr, "train-network should name the stage", result)
    result = run(*own, "--size=64", "--regulariser=mean")
    expect(result.returncode == 0 and "8 classes" in result.stdout and "test: loss" in result.stdout
           and "times the mean of their 504 squares, which is 0.002 times half their sum"
           in result.stdout, "train-network", result)
    result = run("inspect", output)
    expect(result.returncode == 0 and "8: balloon" in result.stdout and "stated in own.json" in result.stdout
           and "+stage3+stage2" in result.stdout, "inspect a network of one's own", result)
    result = run("train", folder / "few", "-o", folder / "own.ensemble", "-n", output, "--cache",
                 folder / "cache", "-w", 0, "-c", 1)
    expect(result.returncode == 0, "train should take a network of one's own", result)


def check_chain(folder):
    network = pathlib.Path(NETWORKS).parent / "original.onnx"
    bundle = folder / "chained.ensemble"
    report = folder / "chained.html"
    train = ["train", folder / "set", "-o", bundle, "-n", network, "--retrain=1", "-w", 0, "-c", 1,
             "--report", report, "--unlabelled", folder / "set/test"]
    result = run(*train, "--cache", network)
    expect(result.returncode == 1 and "epoch 1 of 1" in result.stderr, "a cache that is no folder", result)
    result = run(*train, "--cache", folder / "cache")
    settings = json.loads((bundle / "ensemble.json").read_text()) if bundle.is_dir() else {}
    page = report.read_text() if report.is_file() else ""
    expect(result.returncode == 0 and (folder / "chained-retrained.onnx").is_file()
           and [n["role"] for n in settings.get("networks", [])] == ["original", "retrained"]
           and "chained-retrained.onnx was trained on the training images of set" in result.stderr
           and "original.onnx was trained" not in result.stderr and 'id="training"' in page
           and "the ensemble is least sure of 12: label these" in " ".join(result.stdout.split())
           and "the ensemble is least sure of 12" in page, "train --retrain", result)
    expect("epoch 1 of 1" not in result.stderr and not (folder / "chained-retrained.checkpoint").exists(),
           "a retraining that has ended is not repeated", result)


def check_classification(folder, bundle):
    picture = sorted((folder / "set/test/car").iterdir())[0]
    broken = folder / "broken.jpg"
    broken.write_text("no picture")
    result = run("classify", "-m", bundle, picture)
    expect(result.returncode == 0 and "car" in result.stdout, "classify", result)
    result = run("classify", "-m", bundle, "--json", broken, picture)
    lines = result.stdout.splitlines()
    expect(result.returncode == 1 and "broken.jpg" in result.stderr and len(lines) == 1
           and json.loads(lines[0])["source"] == str(picture)
           and len(json.loads(lines[0])["classes"]) == 8,
           "classify should go on after a broken picture", result)
    result = run("classify", "-m", bundle, "--one-class=car", "--json", picture)
    classes = json.loads(result.stdout)["classes"] if result.returncode == 0 else []
    expect([c["name"] for c in classes] == ["car"], "classify --one-class", result)
    result = run("evaluate", folder / "set", "-m", bundle, "--one-class=car", "--json")
    expect(result.returncode == 0 and list(json.loads(result.stdout)["positives"]) == ["car"],
           "evaluate --one-class", result)
    check_style(folder, bundle, picture)
    check_maps(folder, bundle)


def check_style(folder, bundle, picture):
    """Of one step, on small pictures; the labels say which method is best."""
    for camera in "ab":
        for i in range(2):
            write_png(folder / f"camera-{camera}/{i}.png", 40, 32,
                      lambda x, y: (x, 4 * y, 90 if camera == "a" else 200))
    result = run("train-style", "--from", folder / "camera-a", "--to", folder / "camera-b", "-m", bundle,
                 "-o", "old", "--sizes=32", "--crop=16", "-e", 1, "-b", 2, "--test", folder / "few",
                 "-r", folder / "old.html")
    expect(result.returncode == 0 and "2 pictures of" in result.stdout and "mean and variance" in result.stdout
           and "AdaBN" in result.stdout and "accuracy" in result.stdout
           and "as they are" in (folder / "old.html").read_text()
           and (bundle / "styles/old.onnx").is_file() and not (bundle / "styles/old.checkpoint").exists(),
           "train-style", result)
    result = run("classify", "-m", bundle, "--style=old", "--json", picture)
    expect(result.returncode == 0 and json.loads(result.stdout)["style"] == "old", "classify --style", result)
    result = run("evaluate", folder / "few", "-m", bundle, "--style", bundle / "styles/old.onnx", "--json")
    expect(result.returncode == 0 and json.loads(result.stdout)["style"] == "old", "evaluate --style", result)
    result = run("classify", "-m", bundle, "--style=new", picture)
    expect(result.returncode == 1 and "has no style “new” (it has old)" in result.stderr,
           "classify --style should list the styles", result)


def read_grey(path):
    """Width, height and rows of an 8-bit grey PNG without interlacing."""
    data = path.read_bytes()
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    chunks, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunks += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    lines = zlib.decompress(chunks)
    assert (depth, colour) == (8, 0) and len(lines) == height * (width + 1)
    rows, above = [], [0] * width
    for y in range(height):
        kind, row = lines[y * (width + 1)], list(lines[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, corner = (row[x - 1], above[x - 1]) if x else (0, 0)
            nearest = min((left, above[x], corner), key=lambda n: abs(left + above[x] - corner - n))
            row[x] += [0, left, above[x], (left + above[x]) // 2, nearest][kind]
            row[x] &= 255
        rows.append(row)
        above = row
    return width, height, rows


def check_maps(folder, bundle):
    run("clip", folder / "clip.avi", folder / "truth.csv", "--seconds=1", "--width=640",
        "--height=360", program=DRAW)
    maps = folder / "maps"
    result = run("classify", "-m", bundle, "--json", "--top=2", "--map", maps, "--max-sub-images=6",
                 "-w", 0, folder / "clip.avi")
    found = json.loads(result.stdout.splitlines()[0]) if result.stdout else {}
    expect(result.returncode == 0 and found["map"]["columns"] * found["map"]["rows"] in range(2, 7)
           and all(c["p"] == max(map(max, found["map"]["classes"][c["name"]]))
                   for c in found["classes"]), "P should be the map's maximum", result)
    expect(sorted(path.name for path in maps.iterdir())
           == sorted(f"clip-0000.000-{c['name']}.png" for c in found["classes"]),
           "--map should write a picture for each class printed", result)
    for c in found["classes"]:
        width, height, rows = read_grey(maps / f"clip-0000.000-{c['name']}.png")
        grid = found["map"]
        for row, values in enumerate(grid["classes"][c["name"]]):
            for column, p in enumerate(values):
                x = int(width * (grid["x"][column] + grid["width"] / 2))
                y = int(height * (grid["y"][row] + grid["height"] / 2))
                expect(abs(rows[y][x] - 255 * p) <= 6, f"{c['name']} at {x}, {y}: {p}", result)
    result = run("classify", "-m", bundle, "--max-sub-images=6", folder / "clip.avi")
    expect(f"in {grid['columns']} × {grid['rows']} tiles" in result.stdout,
           "the table should say that pictures were divided", result)
    small = sorted((folder / "set/test/car").iterdir())[0]
    result = run("classify", "-m", bundle, "--map", maps, "--sub-images=off", "-w", 0, small)
    expect(result.returncode == 0 and not list(maps.glob(small.stem + "*")),
           "no map, no picture", result)
    check_memory(folder, bundle)


def check_memory(folder, bundle):
    """The tiles of a large picture are classified a few at a time."""
    clip = folder / "large.avi"
    run("clip", clip, folder / "large.csv", "--seconds=1", "--rate=1", "--width=3840",
        "--height=2160", program=DRAW)
    command = [TOOL, "classify", "-m", bundle, "-t", "2", clip]
    with open(folder / "large.txt", "w+") as said, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT) as process:
        status, usage = os.wait4(process.pid, 0)[1:]
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        result = subprocess.CompletedProcess(command, process.returncode, said.read(), "")
    sanitized = b"__asan_init" in pathlib.Path(TOOL).read_bytes()
    expect(result.returncode == 0 and " tiles" in result.stdout, "classify a 4K clip", result)
    expect(sanitized or usage.ru_maxrss < 192 * 1024,
           f"a 4K frame should take less than 192 MiB, took {usage.ru_maxrss} KiB", result)


check_arguments()
with tempfile.TemporaryDirectory() as name:
    check_inspection(pathlib.Path(name))
    check_training(pathlib.Path(name))
print("\n".join(failures))
sys.exit(1 if failures else 0)
