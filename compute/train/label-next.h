/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pictures to label next: those that an ensemble is least sure of.
 *
 * A picture is as unsure as the class whose P lies nearest its threshold, as a share of what P
 * could be away from it. Of near copies only the most unsure one counts.
 *
 * Source: D. D. Lewis, W. A. Gale, A Sequential Algorithm for Training Text Classifiers, SIGIR 1994
 * (uncertainty sampling). */
#pragma once

#include "ensemble/ensemble.h"
#include "train/diagnosis.h"
#include "vision/frame-source.h"

/* Adds a finding to an array of them, of the pictures in a folder and in folders below it; pictures
 * that can't be read are noted and left out, more than one in ten is an error. */
gboolean ens_add_next_labels (GPtrArray *findings, EnsEnsemble *ensemble, const char *folder,
                              const EnsFrameOpener *opener, const EnsMonitor *monitor,
                              GError **error);
