/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retraining for the commands that do it. */
#pragma once

#include "train/retrain.h"

/* Retrains, showing how it goes, and prints what came of it. report: an HTML file to write; NULL:
 * none. */
gboolean tool_retrain_network (const EnsRetrainParams *params, const char *report,
                               EnsDevice *device, GError **error);
