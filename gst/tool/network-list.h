/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The networks that a user names for training, with what must be known of each. */
#pragma once

#include "train/fit.h"

typedef struct _ToolNetworks ToolNetworks;

ToolNetworks *tool_networks_new (void);
void tool_networks_free (ToolNetworks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolNetworks, tool_networks_free)

/* Adds "FILE.onnx[,KEY=VALUE]…"; items of a list are joined by "+". Keys: role, name, order, mean,
 * scale or std, size, framing, crop, taps, scales, window-sizes, window-framing. */
gboolean tool_networks_add (ToolNetworks *networks, const char *text, GError **error);

/* Adds all that a JSON file lists: {"networks": [{"file": …, …}]}, with the same keys (“_” for
 * “-”); files are relative to it. */
gboolean tool_networks_read (ToolNetworks *networks, const char *path, GError **error);

/* Sets the tap of the network that was added last, unless the user has given taps. */
void tool_networks_tap (ToolNetworks *networks, const char *tap);

/* Detects the preprocessing that the user has not given, and prints all of it. */
gboolean tool_networks_complete (ToolNetworks *networks, GError **error);

/* FALSE with an error that says how they are given if there are none. */
gboolean tool_networks_check_any (gboolean any, GError **error);

/* Networks of --network and --networks (either may be NULL), complete. NULL: there are none, or
 * they can't be read. (transfer full) */
ToolNetworks *tool_networks_collect (char *const *networks, char *const *lists, GError **error);

/* Adds a network that the first one was retrained to: with its settings, which are complete, in the
 * role of a retrained one. The first one becomes an original one, unless the user has said what it
 * is. */
void tool_networks_add_retrained (ToolNetworks *networks, const char *path);

/* Belongs to the list and is valid until something is added. */
const EnsFitNetwork *tool_networks_get (const ToolNetworks *networks, guint *n);
