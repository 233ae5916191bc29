# SPDX-License-Identifier: LGPL-2.1-or-later
"""Three workers and a broker: one worker is killed in the middle of a file, one is stopped, the broker goes
and comes back; every file is tagged, and no result counts twice.

workers.py mqtt|KAFKA-CLUSTER TOOL MAKE-COLOUR-BUNDLE SCHEMA…
"""
import collections
import json
import pathlib
import signal
import subprocess
import sys

from brokers import Kafka, Mqtt, cleaning_up, folder, need, start_worker, wait_for

KIND, TOOL, MAKE_BUNDLE, *SCHEMAS = sys.argv[1:]
LONG, SHORT = 300, 10  # frames


def make_video(name, n_frames):
    path = folder / name
    subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={n_frames}", "pattern=smpte", "!",
                    "video/x-raw,width=160,height=120,framerate=25/1", "!", "jpegenc", "!", "avimux", "!", "filesink",
                    f"location={path}"], check=True, timeout=120)
    return path


def submit(broker, job, uri, **members):
    broker.submit(job, json.dumps({"schema": "gst-ensemble/job/1", "id": job, "uri": str(uri), **members}))


def find_half_done(broker, excluded=()):
    """The last result of a long file that has more, and whose worker has not gone."""
    for result in reversed(broker.of("result")):
        if (result["job"].startswith("long") and result["sequence"] < LONG - 70
                and result["worker"] not in excluded and not broker.of("end", result["job"])):
            return result
    return None


def check_results(broker, job, n):
    for end in broker.of("end", job):
        assert end["state"] == "done" and end["results"] == n, end
    counts = collections.Counter(result["sequence"] for result in broker.of("result", job))
    assert sorted(counts) == list(range(n)), f"{job}: {n} results, found {sorted(counts)}"
    return sum(counts.values()) - n


def check_retained(broker):
    wait_for(lambda: not broker.retained("job/+") and not broker.retained("lease/+"), "jobs are cleared", 30)
    assert broker.retained("end/+"), "no ends are kept"


def check_schemas(broker):
    try:
        import jsonschema
    except ImportError:
        return
    result_schema, schema = (json.loads(pathlib.Path(path).read_text()) for path in SCHEMAS)
    # Each by its own: references of the one are not the other's.
    schema["oneOf"][0]["properties"]["result"] = {"type": "object"}
    validator = jsonschema.Draft202012Validator(schema)
    for message in broker.of("lease") + broker.of("end") + broker.of("result")[:20]:
        validator.validate(message)
    for message in broker.of("result")[:20]:
        jsonschema.Draft202012Validator(result_schema).validate(message["result"])


def check_failures(broker, bundle):
    """Jobs that can't be done end, and say why."""
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.ensemble").mkdir()
    video = (folder / "short.avi").read_bytes()
    (folder / "damaged.avi").write_bytes(video[:400] + bytes(byte ^ 0x55 for byte in video[400:]))
    rows = {"missing": (folder / "missing.avi", {}, "missing.avi"),
            "text": (folder / "text.jpg", {}, "text.jpg"),
            "damaged": (folder / "damaged.avi", {}, "damaged.avi"),
            "no-bundle": (folder / "short.avi", {"model": str(folder / "empty.ensemble")}, "empty.ensemble"),
            "outside": ("/etc/passwd", {}, "--allow"),
            "outside-bundle": (folder / "short.avi", {"model": "/etc"}, "--allow"),
            "climbs": (f"{folder}/../../etc/passwd", {}, "--allow"),
            "misspelt": (folder / "text.jpg", {"step": 1}, "settings.step: unknown member")}
    for job, (uri, settings, _) in rows.items():
        submit(broker, job, uri, settings=settings)
    broker.submit("nonsense", "nonsense")
    (folder / "100% wool.avi").write_bytes(video)
    for job, name in {"named": "short.avi", "percent": "100% wool.avi"}.items():
        submit(broker, job, folder / name, settings={"interval": 0, "model": str(bundle)})
    for job, row in rows.items():
        end = wait_for(lambda: broker.of("end", job), f"{job} ends")[0]
        assert end["state"] == "failed" and row[2] in end["error"], f"{job}: {end}"
    wait_for(lambda: [end for end in broker.of("end") if "JSON" in end.get("error", "")], "nonsense ends")
    for job in ["named", "percent"]:
        wait_for(lambda: broker.of("end", job), f"{job} ends")
        check_results(broker, job, SHORT)


def check_restart(broker, long):
    """The broker goes while files are tagged, and comes back."""
    jobs = [f"long-again-{i}" for i in range(2)]
    for job in jobs:
        submit(broker, job, long, settings={"interval": 0, "top": 1})
    wait_for(lambda: find_half_done(broker), "a worker in the middle of a file")
    broker.stop()
    broker.start()
    for job in jobs:
        wait_for(lambda: broker.of("end", job), f"{job} ends")
    return sum(check_results(broker, job, LONG) for job in jobs)


def check_cancelled(broker, long):
    """Neither the job nor its lease stays."""
    submit(broker, "long-cancelled", long, settings={"interval": 0, "top": 1})
    wait_for(lambda: broker.of("result", "long-cancelled"), "long-cancelled begins")
    broker.submit("long-cancelled", "")


def check_refused(broker):
    """Results that the broker never takes are not sent for ever."""
    broker.stop()
    broker.settings.write_text(broker.settings.read_text() + "max_packet_size 700\n")
    broker.start()
    submit(broker, "large", folder / "short.avi")
    end = wait_for(lambda: broker.of("end", "large"), "large ends")[0]
    assert end["state"] == "failed" and "Packet too large" in end["error"], end


def check_gone(broker, workers, jobs):
    """A worker is killed and one is stopped, both in the middle of a file. Returns the third."""
    killed = wait_for(lambda: find_half_done(broker), "a worker in the middle of a file")
    workers[killed["worker"]].send_signal(signal.SIGKILL)
    stopped = wait_for(lambda: find_half_done(broker, {killed["worker"]}), "another one")
    workers[stopped["worker"]].send_signal(signal.SIGTERM)
    assert workers[stopped["worker"]].wait(60) == 0
    for job in jobs:
        wait_for(lambda: broker.of("end", job), f"{job} ends")
    assert broker.of("end", killed["job"])[0]["worker"] != killed["worker"]
    if KIND == "mqtt":
        assert max(lease["lost"] for lease in broker.of("lease", killed["job"])) == 1
        assert [lease for lease in broker.of("lease", stopped["job"])
                if lease["worker"] == stopped["worker"] and lease["state"] == "free"], "nothing was handed back"
    print(f"{killed['worker']} killed at {killed['sequence']}, {stopped['worker']} stopped at {stopped['sequence']}")
    survivor, = set(workers) - {killed["worker"], stopped["worker"]}
    return workers[survivor]


def main():
    bundle = subprocess.run([MAKE_BUNDLE, folder], capture_output=True, text=True, check=True).stdout.strip()
    long, short = make_video("long.avi", LONG), make_video("short.avi", SHORT)
    broker = Mqtt() if KIND == "mqtt" else Kafka(KIND)
    workers = {name: start_worker(TOOL, name, broker, "--model", bundle, "--allow", f"{folder}/") for name in "abc"}
    jobs = {**{f"long-{i}": (long, LONG) for i in range(3)}, **{f"short-{i}": (short, SHORT) for i in range(4)}}

    for job, (uri, _) in jobs.items():
        submit(broker, job, uri, settings={"interval": 0, "top": 1})
    survivor = check_gone(broker, workers, jobs)
    duplicates = sum(check_results(broker, job, n) for job, (_, n) in jobs.items())
    print(f"{len(jobs)} files, {sum(n for _, n in jobs.values())} results, {duplicates} duplicates dropped")
    print(f"broker away: {check_restart(broker, long)} duplicates dropped")
    check_failures(broker, bundle)
    assert survivor.poll() is None, "the last worker ended"
    if KIND == "mqtt":
        check_cancelled(broker, long)
        check_retained(broker)
        check_refused(broker)
    check_schemas(broker)


need("gst-launch-1.0", *(["mosquitto", "mosquitto_sub", "mosquitto_pub"] if KIND == "mqtt" else []))
with cleaning_up():
    main()
