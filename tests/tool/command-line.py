"""Runs gst-ensemble-1.0 as a user does: what it says of wrong arguments, and the whole way from
pictures to tags on a small drawn set.

command-line.py TOOL DRAW-SCENES NETWORKS.json
"""
import json
import pathlib
import subprocess
import sys
import tempfile

TOOL, DRAW, NETWORKS = sys.argv[1:]

# Arguments, exit status, what is said.
ROWS = [
    ([], 2, "Usage:"),
    (["--help"], 0, "benchmark"),
    (["--version"], 0, "gst-ensemble-1.0 "),
    (["paint"], 2, "there is no command “paint”"),
    (["train"], 2, "expected DATASET, got 0 arguments"),
    (["train", "set"], 2, "--output=NAME.ensemble is needed"),
    (["train", "set", "-o", "x.ensemble"], 2, "networks are needed"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,rôle=original"], 2, "expected role="),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,role=boss"], 2, "original, retrained"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,mean=1+2"], 2, "mean expects one number"),
    (["train", "set", "-o", "x.ensemble", "-n", "a.onnx,scales=0"], 2, "expects sizes in pixels"),
    (["train", "set", "-o", "x.ensemble", "--networks", "nowhere.json"], 1, "nowhere.json"),
    (["train", "nowhere", "-o", "x.ensemble", "--networks", NETWORKS], 1, "nowhere"),
    (["train", "set", "-o", "x.ensemble", "-w", "-3"], 2, "--windows expects at least 0, got -3"),
    (["evaluate", "set"], 2, "--model=BUNDLE is needed"),
    (["evaluate", "set", "-m", "x.ensemble", "--split", "exam"], 2, "train, validation or test"),
    (["evaluate", "set", "-m", "nowhere.ensemble"], 1, "nowhere.ensemble"),
    (["classify", "a.jpg"], 2, "--model=BUNDLE is needed"),
    (["classify", "a.jpg", "-m", "nowhere.ensemble"], 1, "nowhere.ensemble"),
    (["classify", "a.jpg", "-m", "x.ensemble", "-s", "big"], 2, "--scales expects sizes"),
    (["inspect", "nowhere.onnx"], 1, "nowhere.onnx"),
    (["inspect", NETWORKS], 1, "networks.json"),
    (["benchmark", "nowhere.onnx"], 1, "nowhere.onnx"),
    (["benchmark", "a.onnx", "-d", "abacus"], 1, "abacus"),
    (["benchmark", "a.onnx", "-b", "0"], 2, "--batch expects at least 1, got 0"),
    (["benchmark", "a.onnx", "--baatch=0"], 2, "see gst-ensemble-1.0 benchmark --help"),
    (["classify", "a.jpg", "-m", "x.ensemble", "-t", "-1"], 2, "--threads expects at least 0"),
    (["help"], 0, "benchmark"),
    (["help", "train"], 0, "Usage: gst-ensemble-1.0 train"),
    (["help", "paint"], 2, "there is no command “paint”"),
    (["windows", "nowhere"], 1, "expected a folder with Annotations"),
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


def check_inspection(folder):
    network = pathlib.Path(NETWORKS).parent / "original.onnx"
    result = run("inspect", network)
    expect(result.returncode == 0 and "Features can be tapped at" in result.stdout, "inspect", result)
    result = run("benchmark", network, "-n", 1, "-s", 64)
    expect(result.returncode == 0 and "GFLOP/s" in result.stdout, "benchmark", result)
    drawn = run("boxes", folder / "boxes", program=DRAW)
    result = run("windows", folder / "boxes")
    expect(result.returncode == 0 and "MABO" in result.stdout, "windows", drawn)


def check_training(folder):
    run("set", folder / "set", "--train=4", "--validation=3", "--test=3", program=DRAW)
    bundle = folder / "drawn.ensemble"
    train = ["train", folder / "set", "-o", bundle, "--networks", NETWORKS, "--cache",
             folder / "cache", "-w", 10, "-c", 1]
    result = run(*train)
    expect(result.returncode == 0 and bundle.is_dir() and "with windows" in result.stdout, "train",
           result)
    first = (bundle / "ensemble.json").read_bytes() if bundle.is_dir() else b""
    result = run(*train)
    expect(result.returncode == 0 and (bundle / "ensemble.json").read_bytes() == first,
           "training again from kept features should give the same bundle", result)
    result = run("evaluate", folder / "set", "-m", bundle, "--json")
    expect(result.returncode == 0 and json.loads(result.stdout)["schema"], "evaluate", result)
    check_classification(folder, bundle)
    result = run("inspect", bundle)
    expect(result.returncode == 0 and "8 classes" in result.stdout, "inspect a bundle", result)


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


check_arguments()
with tempfile.TemporaryDirectory() as name:
    check_inspection(pathlib.Path(name))
    check_training(pathlib.Path(name))
print("\n".join(failures))
sys.exit(1 if failures else 0)
