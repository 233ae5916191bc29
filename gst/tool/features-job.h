/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extracting features for a training, here or for a job. */
#pragma once

#include "worker/features.h"

/* part: as ens_fit_extract () has it. */
gboolean tool_extract_features (const WorkerFeatures *features, const char *part, EnsDevice *device,
                                const EnsFrameOpener *opener, const EnsMonitor *monitor,
                                GError **error);
