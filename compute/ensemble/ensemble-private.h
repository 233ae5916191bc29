/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An opened ensemble from the inside. */
#pragma once

#include "engine/batcher.h"
#include "ensemble/ensemble.h"
#include "ensemble/frame-cost.h"
#include "ensemble/member.h"

struct _EnsEnsemble {
  guint references; /* guarded by the registry's lock */
  char *key;        /* in the registry */
  char *stamp;      /* ens_bundle_stamp (), before files were read */
  gboolean
      loading; /* of a place in the registry that is kept: it has nothing but references, key */
  EnsBundle *bundle;
  EnsDevice *device;
  EnsMember **members; /* as many as bundle->networks */
  char **notes;
  guint n_analyses; /* guarded by the registry's lock */
  EnsCosts *costs;
  EnsBatcher *batcher;    /* where its analyses meet */
  gboolean windows_first; /* ens_bundle_prefers_windows () */
};

/* An analysis of the ensemble begins (by: 1), or ends (-1). */
void ens_ensemble_count_analyses (EnsEnsemble *ensemble, gint by);
/* What its last analysis that succeeded has done. */
const EnsWork *ens_analysis_get_work (const EnsAnalysis *analysis);
/* The scales of one of its networks. (transfer none) */
const guint *ens_ensemble_get_scales (const EnsEnsemble *ensemble, guint network,
                                      const EnsAnalyseOptions *options, guint *n_scales);
