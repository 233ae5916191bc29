/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bundle of four toy networks, two of each role, in test_folder: written, opened, analysed with.
 */
#pragma once

#include "ensemble/ensemble.h"
#include "vision/picture.h"

#define TOY_BUNDLE_CLASSES 3
#define TOY_BUNDLE_WINDOWS 20

/* While a case runs. */
extern char *toy_bundle_path;

/* Of the version "log odds", and thresholds of all others. */
extern const float toy_bundle_thresholds[TOY_BUNDLE_CLASSES];
extern const float toy_bundle_whole_thresholds[TOY_BUNDLE_CLASSES];
extern const EnsCalibration toy_bundle_calibration[TOY_BUNDLE_CLASSES];
extern const EnsCalibration toy_bundle_whole_calibration[TOY_BUNDLE_CLASSES];
extern const EnsCalibration toy_bundle_softmax, toy_bundle_whole_softmax;

/* test_fixture (toy_bundle_set_up, toy_bundle_tear_down): version "1", without a gate. */
void toy_bundle_set_up (void);
void toy_bundle_tear_down (void);

/* In place of the one that is there; gated: with a gate whose similarities are the decision values
 * of the second network. */
void toy_bundle_write (const char *version, gboolean gated);
/* (transfer full) */
EnsEnsemble *toy_bundle_open (guint n_threads);
/* By an analysis of its own, at pts 7. (transfer full) */
EnsResult *toy_bundle_analyse (EnsEnsemble *ensemble, const EnsPicture *picture,
                               const EnsAnalyseOptions *options);
