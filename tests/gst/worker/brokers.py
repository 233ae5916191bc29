# SPDX-License-Identifier: LGPL-2.1-or-later
"""Brokers and other processes of tests of workers, in a folder of their own."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOPIC = "test/jobs"
PATH = os.environ["PATH"] + ":/usr/sbin"


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=PATH):
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
    """Hears what workers say."""

    def __init__(self):
        self.lock = threading.Lock()
        self.messages = []

    def listen(self, process):
        def run():
            for line in process.stdout:
                if line.strip():
                    with self.lock:
                        self.messages.append(json.loads(line))
        threading.Thread(target=run, daemon=True).start()

    def of(self, kind, job=None):
        with self.lock:
            messages = list(self.messages)
        return [m for m in messages if m.get("schema") == f"gst-ensemble/job-{kind}/1" and job in (None, m["job"])]


class Mqtt(Broker):
    def __init__(self):
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.location = f"mqtt://127.0.0.1:{self.port}"
        self.settings = folder / "mosquitto.conf"
        example = pathlib.Path(__file__).parents[3] / "examples/worker/mosquitto.conf"
        self.settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_dest none\n"
            f"persistence true\npersistence_location {folder}/\n{example.read_text()}")
        self.start()
        # Its session outlives the broker.
        self.listen(start("mosquitto_sub", *self.arguments(), "-c", "-i", "listener", "-x", 3600, "-F", "%p",
                          *(word for kind in ["result/+", "lease/+", "end/+", "ready"]
                            for word in ["-t", f"{TOPIC}/{kind}"]), stdout=subprocess.PIPE, text=True))
        wait_for(lambda: self.publish("ready", "{}") or self.messages, "the listener hears")

    def start(self):
        self.process = start(shutil.which("mosquitto", path=PATH), "-c", self.settings)
        wait_for(self.is_up, "the broker listens")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def is_up(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def arguments(self):
        return ["-h", "127.0.0.1", "-p", self.port, "-V", "5", "-q", "1"]

    def publish(self, topic, text):
        subprocess.run([str(word) for word in ["mosquitto_pub", *self.arguments(), "-r", "-t", f"{TOPIC}/{topic}",
                                               "-m", text]], check=True, timeout=30)

    def submit(self, job, text):
        self.publish(f"job/{job}", text)

    def retained(self, topic):
        found = subprocess.run(
            [str(word) for word in ["mosquitto_sub", *self.arguments(), "--retained-only", "-W", 1, "-F", "%t", "-t",
                                    f"{TOPIC}/{topic}"]], capture_output=True, text=True, timeout=30)
        return found.stdout.split()


class Kafka(Broker):
    """A program that holds a cluster, sends what it reads to the jobs, and writes what is among the results."""

    def __init__(self, program):
        super().__init__()
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(self.process)
        self.location = f"kafka://{self.process.stdout.readline().strip()}/jobs"
        self.listen(self.process)

    def write(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def submit(self, job, text):
        self.write(text)

    def start(self):
        self.write("up")

    def stop(self):
        self.write("down")
        time.sleep(1)


def start_worker(tool, name, broker, *options):
    return start(tool, "worker", "--device", "cpu", "--threads", 1, "--client-id", name, "--topic", TOPIC, "--lease", 3,
                 *options, broker.location, stderr=open(folder / f"{name}.log", "w"))


@contextlib.contextmanager
def cleaning_up():
    """Shows what workers have said if something fails."""
    try:
        yield
    except BaseException:
        for log in folder.glob("*.log"):
            print(f"--- {log.name}\n{log.read_text()}", file=sys.stderr)
        raise
    finally:
        for process in processes:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
