/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What “evaluate” has measured, as a page to look at. */
#pragma once

#include "retraining.h"

/* FALSE if a file can't be written there: better known before the pictures are gone through. */
gboolean tool_report_check (const char *path, GError **error);

/* Writes one HTML file that needs no other. `evaluation` is one of ens_evaluate (); the few
 * pictures that the page shows are read again through `opener`, and are small on it. retraining: of
 * one of the ensemble's networks; NULL: none. */
gboolean tool_report_write (const EnsEvaluation *evaluation, const ToolRetraining *retraining,
                            const EnsFrameOpener *opener, const char *path, GError **error);
