# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the commands of the guide as they stand there:

    guide.py print PAGE.md …              prints them as a shell script, for a bare system
    guide.py run SOURCE-ROOT BUILD-ROOT   runs all pages of the index with what is built, on drawn pictures

Blocks of commands begin with ```sh. Words after it say more: `bare` needs root, networks or a camera, `gpu` a
GPU, `slow` minutes; these are left out by the test. `runs-on` runs beside what follows, up to a page that has none.
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

# With set -m, what runs on is a process group and is stopped as Ctrl-C would. The last begun goes first: it
# needs the others.
STOP = """set -eum
running=
stop () {
  for job in $running; do
    kill -0 "$job" || { echo "ended by itself: see the files runs-on-*.log"; tail -n 20 runs-on-*.log; exit 1; }
    kill -INT -- "-$job"
    wait "$job" || true
  done
  running=
}
# Where a command fails nothing runs on.
trap 'for job in $running; do kill -- "-$job" || true; done' EXIT"""


def read_blocks(page):
    """Words and text of the blocks of commands."""
    found = re.findall(r"^```sh([^\n]*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [(set(words.split()), text) for words, text in found]


def make_script(pages, left_out=()):
    lines, number = [STOP], 0
    for page in pages:
        blocks = [block for block in read_blocks(page) if not block[0] & set(left_out)]
        if not any("runs-on" in words for words, _ in blocks):
            lines.append("stop")
        lines.append(f"echo '== {page.name}'")
        for words, text in blocks:
            if "runs-on" in words:
                number += 1
                text = (f"{{\n{text}}} > runs-on-{number}.log 2>&1 < /dev/null &\n"
                        'running="$! $running"; sleep 5')
            lines.append(text)
    return "\n".join(lines + ["stop", "echo '== all done'", ""])


def index_pages(guide):
    """In the index's order, the pages that are part of the guide."""
    return [guide / name for name in re.findall(r"\]\(([\w-]+\.md)\)", (guide / "README.md").read_text())]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def prepare(folder, source, build, tool):
    """What the first page's script leaves, and what the reader has: photographs, a network, something new."""
    def draw(*arguments):
        subprocess.run([build / "tests/scenes/draw-scenes", *arguments, "--size=120"], check=True)

    quickstart = folder / "build/quickstart"
    quickstart.mkdir(parents=True)
    (folder / "new").mkdir()
    (folder / "examples").symlink_to(source / "examples")
    (folder / "network.onnx").symlink_to(source / "examples/networks/retrained.onnx")
    draw("set", folder / "photos", "--train=6", "--validation=3", "--test=2")
    draw("clip", quickstart / "clip.webm", quickstart / "truth.csv", "--seconds=5", "--width=320", "--height=180")
    (folder / "new/video.webm").symlink_to(quickstart / "clip.webm")
    subprocess.run([tool, "train", folder / "photos", "-o", quickstart / "quickstart.ensemble",
                    f"--networks={source}/examples/networks/networks.json"], check=True)


def environment(folder, source, build):
    """What installing would give."""
    paths = {"GST_PLUGIN_PATH": build / "gst", "GI_TYPELIB_PATH": build / "gst",
             "LD_LIBRARY_PATH": build / "gst", "PKG_CONFIG_PATH": build / "meson-uninstalled"}
    result = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "GST_REGISTRY": str(folder / "registry.bin"),
              "LC_ALL": "C.UTF-8"}
    for name, path in paths.items():
        result[name] = f"{path}:{os.environ[name]}" if os.environ.get(name) else str(path)
    result["PATH"] = f"{build}/gst/tool:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    return result


def check_programs(variables):
    """Skips where what Debian's packages bring is not installed."""
    bindings = "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('GstEnsemble', '1.0')"
    needed = ["python3", "-c", bindings], ["sh", "-c", "command -v mosquitto && command -v mosquitto_sub"]
    for command in needed:
        if subprocess.run(command, env=variables, capture_output=True).returncode != 0:
            print(f"skipped: {command[-1]}")
            sys.exit(77)


def run(source, build):
    pages = index_pages(source / ".github/guide")
    script = make_script(pages, left_out=("bare", "gpu", "slow"))
    for port in ("8554", "8555", "1883"):
        script = script.replace(port, free_port())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        variables = environment(folder, source, build)
        check_programs(variables)
        prepare(folder, source, build, build / "gst/tool/gst-ensemble-1.0")
        return subprocess.run(["bash", "-c", script], cwd=folder, env=variables, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("print", "run"):
        sys.exit(__doc__)
    arguments = [pathlib.Path(argument).resolve() for argument in sys.argv[2:]]
    if sys.argv[1] == "run":
        sys.exit(run(*arguments))
    print(make_script(arguments))
