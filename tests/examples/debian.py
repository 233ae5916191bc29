# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares examples/debian with what is built: debian.py SOURCE-ROOT BUILD-ROOT LIBRARY

Every installed file is in the list of one package and no list names a file that is not installed; the
library exports the symbols that are promised; version and build dependencies are those of Meson and
examples/shell/packages.sh. What else tells versions agrees: headers and the README.
"""
import fnmatch
import json
import pathlib
import re
import subprocess
import sys

# The folder of libraries of the package's build, on any architecture.
LIBDIR = "usr/lib/ARCHITECTURE"
# Installed by an option that the package does not take.
OPTIONAL = "usr/share/doc/"
# In build_packages without being needed by the compilation: runtime, and what every Debian build has.
NOT_BUILT_WITH = {"gcc", "libc6-dev", "dpkg-dev", "gstreamer1.0-tools", "gstreamer1.0-plugins-base",
                  "gstreamer1.0-plugins-good", "gstreamer1.0-libav"}
# In package_packages without being needed by debian/rules.
TOOLS = {"lintian"}
# Virtual packages and what provides them.
PROVIDED = {"debhelper-compat": "debhelper", "dh-sequence-gir": "gobject-introspection"}

source, build, library = (pathlib.Path(argument) for argument in sys.argv[1:])
debian = source / "examples" / "debian"
errors = []


def load(name):
    return json.loads((build / "meson-info" / f"intro-{name}.json").read_text())


def installed():
    """Paths of installed files as they are in the package's build."""
    options = {option["name"]: option["value"] for option in load("buildoptions")}
    prefix, libdir = options["prefix"], options["prefix"] + "/" + options["libdir"]
    for path in load("installed").values():
        # GStreamer's and GObject introspection's own folders lie below /usr for every prefix.
        path = re.sub(r"^(/usr)?/lib/[^/]+-linux-[^/]+", "/" + LIBDIR, path)
        for folder, name in ((libdir, LIBDIR), (prefix, "usr")):
            if path.startswith(folder + "/"):
                path = "/" + name + path[len(folder):]
        if not path.startswith("/" + OPTIONAL):
            yield path[1:]


def check_lists():
    patterns = [(file.name, line.split()[0]) for file in sorted(debian.glob("*.install"))
                for line in file.read_text().splitlines()]
    used = set()
    for path in sorted(set(installed())):
        names = [(name, pattern) for name, pattern in patterns
                 if fnmatch.fnmatch(path, pattern) or path.startswith(pattern + "/")]
        used.update(names)
        if len(names) != 1:
            errors.append(f"{path}: installed, and in {len(names)} lists examples/debian/*.install; one must name it")
    if not any(path.endswith(".typelib") for path in installed()):
        used.update(entry for entry in patterns if "GstEnsemble-1.0" in entry[1])
    for name, pattern in patterns:
        if (name, pattern) not in used:
            errors.append(f"examples/debian/{name}: nothing is installed as {pattern}")


def check_symbols():
    promised = set(re.findall(r"^ (\w+)@", (debian / "libgstensemble-1.0-1.symbols").read_text(), re.MULTILINE))
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    exported = {line.split()[-1] for line in lines.stdout.splitlines()}
    for name in sorted(promised ^ exported):
        where = "is not in" if name in exported else "is not exported, but in"
        errors.append(f"{name}: {where} examples/debian/libgstensemble-1.0-1.symbols")


def check_version():
    built = load("projectinfo")["version"]
    packaged = re.match(r"gst-ensemble \(([^)]+)\)", (debian / "changelog").read_text())[1]
    if packaged != built:
        errors.append(f"examples/debian/changelog: begins with {packaged}; meson.build has version {built}")
    readme = (source / "README.md").read_text()
    released = re.search(r"^## Releases\n\n- \*\*(?:next, )?([^*]+)\*\*", readme, re.MULTILINE)
    if released is None or released[1] != built:
        errors.append(f"README.md: Releases begin with {released and released[1]}; meson.build has version {built}")
    # Applications ask GST_ENSEMBLE_CHECK_VERSION for what is there since a version.
    for header in sorted((source / "include").rglob("*.h*")):
        for since in set(re.findall(r"Since: (\d+)\.(\d+)", header.read_text())):
            if [int(number) for number in since] > [int(number) for number in built.split(".")[:2]]:
                errors.append(f"{header.relative_to(source)}: has “Since: {'.'.join(since)}”; meson.build has "
                              f"version {built}")


def check_build_depends():
    text = (source / "examples" / "shell" / "packages.sh").read_text()
    lists = {name: set(names.split()) for name, names in re.findall(r'^(\w+)_packages="([^"]+)"', text, re.MULTILINE)}
    wanted = lists["build"] - NOT_BUILT_WITH | lists["package"] - TOOLS
    field = re.search(r"^Build-Depends:\n((?: .*\n)+)", (debian / "control").read_text(), re.MULTILINE)[1]
    named = {PROVIDED.get(name, name) for name in re.findall(r"^ ([^ ,\n]+)", field, re.MULTILINE)}
    for name in sorted(wanted ^ named):
        where = "examples/debian/control" if name in wanted else "examples/shell/packages.sh"
        errors.append(f"{name}: not in {where}, which names what building needs")


check_lists()
check_symbols()
check_version()
check_build_depends()
print("\n".join(errors))
sys.exit(1 if errors else 0)
