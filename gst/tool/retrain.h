/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retraining for the commands that do it. */
#pragma once

#include "report/retraining.h"

/* Retrains, showing how it goes, and prints what came of it. */
gboolean tool_retrain_network (const EnsRetrainParams *params, EnsDevice *device,
                               EnsRetrainResult *result, GError **error);

/* What reports show of it. The arrays are the caller's to free. */
gboolean tool_retraining_read (const EnsRetrainParams *params, const EnsRetrainResult *result,
                               EnsDevice *device, const EnsFrameOpener *opener,
                               ToolRetraining *retraining, GError **error);
void tool_retraining_clear (ToolRetraining *retraining);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolRetraining, tool_retraining_clear)
