# SPDX-License-Identifier: LGPL-2.1-or-later
"""Features that workers extract, one of which is killed, and that shares extract, give the bundle that train gives
alone.

extract.py TOOL DRAW-SCENES NETWORKS.json
"""
import contextlib
import fcntl
import pathlib
import signal
import subprocess
import sys
import time

from brokers import TOPIC, Mqtt, cleaning_up, folder, need, start, start_worker, wait_for

TOOL, DRAW, NETWORKS = sys.argv[1:3] + [pathlib.Path(sys.argv[3]).resolve()]
DATASET = [folder / "set", "--networks", NETWORKS, "--windows", 8]


def run(*arguments):
    subprocess.run([str(argument) for argument in arguments], check=True, stdout=subprocess.DEVNULL, timeout=600)


def train(cache):
    """The files of the bundle."""
    bundle = cache.with_name(cache.name + "-bundle") / "set.ensemble"
    bundle.parent.mkdir()
    run(TOOL, "train", *DATASET, "--device", "cpu", "--cache", cache, "-o", bundle)
    return {path.name: path.read_bytes() for path in bundle.iterdir()}


def measure(files):
    return sum(path.stat().st_size for path in files)


def check(cache, expected):
    """Train finds all features of the pictures that it learns from."""
    assert train(cache) == expected, f"{cache.name}: another bundle"
    own, parts = measure(cache.glob("*.features")), measure(cache.glob("*/*.features"))
    assert own < parts / 10, f"{cache.name}: train has extracted {own} bytes, the others {parts}"
    return parts


def stop_one(broker, workers, extraction):
    """Stops a worker in the middle of a share: its end is not on its way either. Returns its lease."""
    assert extraction.poll() is None, "extract ended before a worker was killed"
    for held in reversed(broker.of("lease")):
        if held["state"] == "held" and not broker.of("end", held["job"]):
            workers[held["worker"]].send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            if not broker.of("end", held["job"]):
                return held
            workers[held["worker"]].send_signal(signal.SIGCONT)
    return None


def extract_by_workers(cache):
    broker = Mqtt()
    workers = {name: start_worker(TOOL, name, broker, "--allow", f"{folder}/", "--allow", NETWORKS) for name in "ab"}
    extraction = subprocess.Popen([str(word) for word in [TOOL, "extract", *DATASET, "--cache", cache, "--shares", 4,
                                                          "--topic", TOPIC, "--workers", broker.location]])
    wait_for(lambda: extraction.poll() is not None or measure(cache.glob("*/*.features")) > 50000, "features")
    held = wait_for(lambda: stop_one(broker, workers, extraction), "a worker in the middle of a share")
    workers[held["worker"]].send_signal(signal.SIGKILL)
    assert extraction.wait(300) == 0
    assert not [end for end in broker.of("end") if end["state"] != "done"], broker.of("end")
    end = wait_for(lambda: broker.of("end", held["job"]), f"{held['job']} ends")[0]
    assert end["worker"] != held["worker"], "the share of the killed worker was not taken over"
    wait_for(lambda: not broker.retained("job/+") and not broker.retained("lease/+"), "jobs are cleared", 30)
    return held


@contextlib.contextmanager
def reading(paths):
    """As another process that reads them does."""
    with contextlib.ExitStack() as stack:
        for path in paths:
            fcntl.flock(stack.enter_context(open(path, "rb")), fcntl.LOCK_SH)
        yield


def extract_by_shares(cache):
    """Once more while others read what there is: nothing is added."""
    for share in ["1/2", "2/2"]:
        run(TOOL, "extract", *DATASET, "--device", "cpu", "--cache", cache, "--share", share)
    parts = sorted(cache.glob("*/*"))
    with reading(parts):
        run(TOOL, "extract", *DATASET, "--device", "cpu", "--cache", cache, "--share", "1/2")
    assert sorted(cache.glob("*/*")) == parts, "parts without features stay"


def check_away(broker):
    """A broker that goes away is said, and that it keeps the jobs."""
    log = folder / "away.log"
    extraction = start(TOOL, "extract", *DATASET, "--cache", folder / "none", "--topic", TOPIC, "--workers",
                       broker.location, stderr=open(log, "w"))
    wait_for(lambda: len(broker.retained("job/+")) == 16, "jobs")
    broker.stop()
    wait_for(lambda: "; trying again" in log.read_text(), "the broker's absence is said")
    extraction.send_signal(signal.SIGINT)
    assert extraction.wait(60) != 0
    assert "could not be cancelled" in log.read_text(), log.read_text()


def check_too_many():
    network = NETWORKS.parent / "original.onnx"
    found = subprocess.run([str(word) for word in [TOOL, "extract", folder / "set", "--device", "cpu", "--cache",
                                                   folder / "none", *["-n", f"{network},role=original"] * 65]],
                           capture_output=True, text=True, timeout=300)
    assert found.returncode == 1 and "at most 64 networks" in found.stderr, found.stderr


def main():
    run(DRAW, "boxes", folder / "set", "--train=48", "--validation=24", "--test=8")
    check_too_many()
    expected = train(folder / "alone")
    held = extract_by_workers(folder / "workers")
    size = check(folder / "workers", expected)
    extract_by_shares(folder / "shares")
    check(folder / "shares", expected)
    check_away(Mqtt())
    print(f"{size} bytes of features; {held['worker']} killed with {held['job']}")


need("mosquitto", "mosquitto_sub", "mosquitto_pub")
with cleaning_up():
    main()
