/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of members run: a toy network and classifiers, saved in test_folder. */
#pragma once

#include "ensemble/bundle.h"
#include "support/folder.h"
#include "toy.h"

#define TOY_SIZE 32
#define TOY_CLASSES 3
#define TOY_CHANNELS 8
#define TOY_FEATURES (2 * TOY_CHANNELS) /* relu2, and pool or scores */

typedef struct {
  char *network, *classifier, *window_classifier;
  /* Scales 32, 40 and 56, window sizes 32 and 48. */
  EnsBundleNetwork settings;
} ToyMember;

extern EnsCalibration toy_calibration[TOY_CLASSES], toy_window_calibration[TOY_CLASSES];

void toy_member_init (ToyMember *member, gboolean fully_connected);
void toy_member_clear (ToyMember *member);
