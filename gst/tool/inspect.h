/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inspect: the parts of the sub-command. */
#pragma once

#include "tool.h"

/* Prints a bundle's settings, networks, classes and what was measured of it. */
gboolean tool_inspect_bundle (const char *path, GError **error);
/* Prints what a frame of "WIDTHxHEIGHT" pixels costs, estimated and measured on a device, and what
 * cameras get of it by default. */
gboolean tool_inspect_cost (const char *path, const char *size, const char *device_name,
                            GError **error);
/* Prints an ONNX file's layers, taps and missing operators. size: of the input where the file
 * leaves it open, 0 for the usual one. drawing: a file to draw it in, or NULL. */
gboolean tool_inspect_network (const char *path, guint size, const char *drawing, GError **error);
