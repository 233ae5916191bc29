/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graph of a step, before it is planned. */
#pragma once

#include "train/step.h"

/* A parameter of a step beside this one. */
typedef struct {
  EnsStep *step;
  gsize offset; /* among its values */
} EnsTakenParameter;

typedef struct {
  /* Inputs: those of the original graph; parameters; those of steps beside it; statistics; masks.
   * Outputs: the loss; what was asked for; gradients of the parameters; new statistics. */
  EnsGraph *graph;
  guint n_inputs, n_outputs;       /* of the caller */
  GArray *parameters, *statistics; /* EnsParameter */
  GArray *taken;                   /* EnsTakenParameter */
  GPtrArray *initial;              /* EnsTensor of each of them, parameters first */
  GArray *ratios;                  /* float, of each mask of dropout */
} EnsStepGraph;

/* n_segments: as ens_graph_recompute () has it; 1: nothing is computed twice. FALSE: nothing is
 * set.
 */
gboolean ens_step_graph_init (EnsStepGraph *step, const EnsStepParams *params, guint n_segments,
                              GError **error);
void ens_step_graph_clear (EnsStepGraph *step);
