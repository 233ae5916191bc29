/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bundle of gst/colour-bundle.h, and, unless a case opens it itself, the bundle open on the
 * CPU, and an analysis: before each case, and away after it. */
#pragma once

#include "check-main.h"
#include "ensemble/ensemble.h"
#include "gst/colour-bundle.h"

typedef struct {
  char *folder, *bundle; /* the bundle lies in the folder */
  EnsEnsemble *ensemble;
  EnsAnalysis *analysis;
} Fixture;

extern Fixture *fixture;

/* For test_fixture (). fixture_write (): the bundle is not opened. */
void fixture_write (void);
void fixture_set_up (void);
void fixture_tear_down (void);

/* A result of a frame at 7 ns; what can't be analysed fails the case. (transfer full) */
EnsResult *fixture_analyse (EnsAnalysis *analysis, const EnsFrame *frame,
                            const EnsAnalyseOptions *options);
