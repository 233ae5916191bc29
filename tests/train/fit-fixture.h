/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of fitting share: a drawn data set, two toy networks, and the way from them to a
 * bundle and its figures. */
#pragma once

#include "toy.h"
#include "train/fit.h"

#define TRAIN 10
#define VALIDATION 6
#define TEST 4
#define CLASSES 4 /* folders: three classes and "none" */

typedef struct {
  char *folder, *dataset, *cache, *bundle;
  char *networks[2];
  EnsFitNetwork fit_networks[2];
  EnsFitParams params;
  EnsDevice *device;
  EnsFrameOpener opener;
  guint n_opened;
  GString *notes;
  GCancellable *cancellable;
  guint cancel_after; /* images; 0: never */
  EnsMonitor monitor;
} FitFixture;

/* Of the test that runs. */
extern FitFixture *fixture;

void fit_set_up (void);
void fit_tear_down (void);

/* (transfer full) */
EnsEvaluation *fit_run (GError **error);
/* The same, without an error. */
EnsEvaluation *fit_well (void);
/* The bundle on a split. (transfer full) */
EnsEvaluation *fit_evaluate (EnsSplit split);
