# SPDX-License-Identifier: LGPL-2.1-or-later
"""Three workers and a broker: one worker is killed in the middle of a file, one is stopped; every file
is tagged, and no result counts twice.

mqtt.py TOOL MAKE-COLOUR-BUNDLE SCHEMA…
"""
import collections
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOOL, MAKE_BUNDLE, *SCHEMAS = sys.argv[1:]
TOPIC = "test/jobs"
LONG, SHORT = 300, 10  # frames

for program in ["mosquitto", "mosquitto_sub", "mosquitto_pub", "gst-launch-1.0"]:
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
        print(f"{program} is not installed")
        sys.exit(77)

folder = pathlib.Path(tempfile.mkdtemp(prefix="gst-ensemble-worker-"))
processes = []


def start(*arguments, **options):
    process = subprocess.Popen([str(argument) for argument in arguments], stdin=subprocess.DEVNULL, **options)
    processes.append(process)
    return process


def wait_for(condition, what, seconds=300):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


class Broker:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                            "log_dest none\nmax_queued_messages 0\n")
        start(shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin"), "-c", settings)
        wait_for(self.is_up, "the broker listens")

    def is_up(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def arguments(self):
        return ["-h", "127.0.0.1", "-p", self.port, "-V", "5", "-q", "1"]

    def publish(self, topic, text):
        subprocess.run([str(word) for word in ["mosquitto_pub", *self.arguments(), "-r", "-t", f"{TOPIC}/{topic}",
                                               "-m", text]], check=True, timeout=30)

    def retained(self, topic):
        found = subprocess.run(
            [str(word) for word in ["mosquitto_sub", *self.arguments(), "--retained-only", "-W", 2, "-F", "%t", "-t",
                                    f"{TOPIC}/{topic}"]], capture_output=True, text=True, timeout=30)
        return found.stdout.split()


class Listener(threading.Thread):
    """Collects what workers say."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.messages = []
        self.process = start("mosquitto_sub", *broker.arguments(), "-F", "%p", "-t", f"{TOPIC}/result/+", "-t",
                             f"{TOPIC}/lease/+", "-t", f"{TOPIC}/end/+", "-t", f"{TOPIC}/ready",
                             stdout=subprocess.PIPE, text=True)
        self.start()
        wait_for(lambda: broker.publish("ready", "{}") or self.messages, "the listener hears")

    def run(self):
        for line in self.process.stdout:
            if line.strip():
                with self.lock:
                    self.messages.append(json.loads(line))

    def of(self, kind, job=None):
        with self.lock:
            messages = list(self.messages)
        return [m for m in messages if m.get("schema") == f"gst-ensemble/job-{kind}/1" and job in (None, m["job"])]


def make_video(name, n_frames):
    path = folder / name
    subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={n_frames}", "pattern=smpte", "!",
                    "video/x-raw,width=160,height=120,framerate=25/1", "!", "jpegenc", "!", "avimux", "!", "filesink",
                    f"location={path}"], check=True, timeout=120)
    return path


def start_worker(name, bundle, broker):
    return start(TOOL, "worker", "-m", bundle, "--device", "cpu", "--threads", 1, "--client-id", name, "--topic", TOPIC,
                 "--lease", 3, "--allow", f"{folder}/", f"mqtt://127.0.0.1:{broker.port}",
                 stderr=open(folder / f"{name}.log", "w"))


def submit(broker, job, uri, **members):
    broker.publish(f"job/{job}", json.dumps({"schema": "gst-ensemble/job/1", "id": job, "uri": str(uri), **members}))


def find_half_done(listener, excluded=()):
    """The last result of a long file that has more, and whose worker has not gone."""
    for result in reversed(listener.of("result")):
        if (result["job"].startswith("long") and result["sequence"] < LONG - 70
                and result["worker"] not in excluded and not listener.of("end", result["job"])):
            return result
    return None


def check_results(listener, job, n):
    end, = listener.of("end", job)
    assert end["state"] == "done" and end["results"] == n, end
    counts = collections.Counter(result["sequence"] for result in listener.of("result", job))
    assert sorted(counts) == list(range(n)), f"{job}: {n} results, found {sorted(counts)}"
    return sum(counts.values()) - n


def check_retained(broker):
    wait_for(lambda: not broker.retained("job/+") and not broker.retained("lease/+"), "jobs are cleared", 30)
    assert broker.retained("end/+"), "no ends are kept"


def check_schemas(listener):
    try:
        import jsonschema
    except ImportError:
        return
    result_schema, schema = (json.loads(pathlib.Path(path).read_text()) for path in SCHEMAS)
    # Each by its own: references of the one are not the other's.
    schema["oneOf"][0]["properties"]["result"] = {"type": "object"}
    validator = jsonschema.Draft202012Validator(schema)
    for message in listener.of("lease") + listener.of("end") + listener.of("result")[:20]:
        validator.validate(message)
    for message in listener.of("result")[:20]:
        jsonschema.Draft202012Validator(result_schema).validate(message["result"])


def check_failures(broker, listener):
    """Jobs that can't be done end, and say why."""
    (folder / "text.jpg").write_text("no picture")
    rows = {"missing": (folder / "missing.avi", {}, "missing.avi"),
            "text": (folder / "text.jpg", {}, "text.jpg"),
            "outside": ("/etc/passwd", {}, "--allow"),
            "climbs": (f"{folder}/../../etc/passwd", {}, "--allow"),
            "misspelt": (folder / "text.jpg", {"settings": {"step": 1}}, "step")}
    for job, (uri, members, _) in rows.items():
        submit(broker, job, uri, **members)
    broker.publish("job/nonsense", "nonsense")
    for job, part in [*((job, row[2]) for job, row in rows.items()), ("nonsense", "JSON")]:
        end = wait_for(lambda: listener.of("end", job), f"{job} ends")[0]
        assert end["state"] == "failed" and part in end["error"], f"{job}: {end}"


def main():
    bundle = subprocess.run([MAKE_BUNDLE, folder], capture_output=True, text=True, check=True).stdout.strip()
    long, short = make_video("long.avi", LONG), make_video("short.avi", SHORT)
    broker = Broker()
    listener = Listener(broker)
    workers = {name: start_worker(name, bundle, broker) for name in ["a", "b", "c"]}
    jobs = {**{f"long-{i}": (long, LONG) for i in range(3)}, **{f"short-{i}": (short, SHORT) for i in range(4)}}

    for job, (uri, _) in jobs.items():
        submit(broker, job, uri, settings={"interval": 0, "top": 1})

    killed = wait_for(lambda: find_half_done(listener), "a worker in the middle of a file")
    workers[killed["worker"]].send_signal(signal.SIGKILL)
    stopped = wait_for(lambda: find_half_done(listener, {killed["worker"]}), "another one")
    workers[stopped["worker"]].send_signal(signal.SIGTERM)
    assert workers[stopped["worker"]].wait(60) == 0

    for job in jobs:
        wait_for(lambda: listener.of("end", job), f"{job} ends")
    duplicates = sum(check_results(listener, job, n) for job, (_, n) in jobs.items())
    assert listener.of("end", killed["job"])[0]["worker"] != killed["worker"]
    assert max(lease["lost"] for lease in listener.of("lease", killed["job"])) == 1
    check_failures(broker, listener)
    survivor, = set(workers) - {killed["worker"], stopped["worker"]}
    assert workers[survivor].poll() is None, f"{survivor} ended"
    check_retained(broker)
    check_schemas(listener)
    print(f"{len(jobs)} files, {sum(n for _, n in jobs.values())} results, {duplicates} duplicates dropped; "
          f"{killed['worker']} killed at {killed['sequence']}, {stopped['worker']} stopped at {stopped['sequence']}")


try:
    main()
except BaseException:
    for log in folder.glob("*.log"):
        print(f"--- {log.name}\n{log.read_text()}", file=sys.stderr)
    raise
finally:
    for process in processes:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
