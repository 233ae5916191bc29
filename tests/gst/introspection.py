# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads tags through GstEnsemble-1.0, as a Python program does: introspection.py"""
import json
import sys

try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
except (ImportError, ValueError) as error:
    print(error)
    sys.exit(77)
gi.require_version("GstEnsemble", "1.0")
from gi.repository import GstEnsemble

Gst.init(None)


def make_result():
    result = GstEnsemble.Result.new(["cat", "dog"], ["small"], 1)
    assert (result.n_classes, result.n_networks, result.n_windows) == (2, 1, 1)
    result.width, result.height, result.bundle, result.version = 640, 480, "street", "3"
    return result


def check_meta(buffer, result):
    assert GstEnsemble.buffer_get_ensemble_meta(buffer) is None
    GstEnsemble.buffer_add_ensemble_meta(buffer, result, 20)
    meta = GstEnsemble.buffer_get_ensemble_meta(buffer)
    assert (meta.get_age(), meta.get_pts()) == (20, Gst.CLOCK_TIME_NONE)
    assert [meta.get_class_name(c) for c in range(meta.get_n_classes())] == ["cat", "dog"]
    assert meta.get_probability("dog") == (True, 0, False)
    assert not meta.get_probability("lion")[0]
    assert json.loads(meta.to_json())["bundle"] == "street"
    assert meta.get_structure().get_name() == "GstEnsembleMeta"
    # The buffer may go; the result stays.
    return meta.get_result()


def check_result(result):
    assert (result.width, result.bundle, result.source) == (640, "street", None)
    assert result.pts == Gst.CLOCK_TIME_NONE
    assert json.loads(result.to_json(1))["classes"][0]["name"] == "cat"
    assert result.top(1).n_classes == 1
    assert result.timings.total == 0
    # Copies, which may outlive the result.
    dog, window = result.get_class(1), result.get_window(0)
    del result
    assert (dog.name, dog.p, dog.window, window.rect.width) == ("dog", 0, -1, 0)


def check_iteration(result):
    buffer = Gst.Buffer.new()
    for age in [1, 2]:
        GstEnsemble.buffer_add_ensemble_meta(buffer, result, age)
    ages, state = [], None
    while True:
        meta, state = GstEnsemble.buffer_iterate_ensemble_meta(buffer, state)
        if meta is None:
            break
        ages.append(meta.get_age())
    assert ages == [1, 2], ages
    # Without a class that is present there are no regions.
    assert GstEnsemble.buffer_add_ensemble_regions(buffer, result, 640, 480) == 0


assert GstEnsemble.version() == (GstEnsemble.VERSION_MAJOR, GstEnsemble.VERSION_MINOR,
                                 GstEnsemble.VERSION_MICRO)
result = check_meta(Gst.Buffer.new(), make_result())
check_result(result)
check_iteration(result)
