/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads: what is learnt on the features of one network (M1.5).
 *
 * A head goes from labelled examples to a graph, from features to one decision value for each
 * class. The rest is the same for all heads: ens_fit () collects the examples, calibrates decision
 * values to probabilities, weighs the networks, and writes the graph into the bundle as ONNX.
 *
 * A new head is a file, head-NAME.c, and its line in heads.c. */
#pragma once

#include "base/error.h"
#include "base/monitor.h"
#include "base/thread-pool.h"
#include "classify/examples.h"
#include "graph/graph.h"
#include "train/options.h"

#define ENS_HEAD_MAX_OPTIONS 4

/* What a head learns from. */
typedef struct {
  EnsBags examples; /* first NULL: whole images alone */
  /* ENS_HEAD_MAX_OPTIONS values, in the order of the head's options. A head that chooses a value
   * itself stores what it chose. */
  double *options;
  /* NULL, or room for the images' decision values (n_samples × n_classes) by what was learnt
   * without their fold (classify/folds.h). */
  float *decisions;
  EnsThreadPool *pool;
  const EnsMonitor *monitor; /* may be NULL */
} EnsHeadTask;

/* Graphs of one input, features (N, n_features), and one output, decision values (N, n_classes):
 * the higher, the likelier the image shows the class. */
typedef struct {
  EnsGraph *images;
  EnsGraph *windows; /* NULL if there were none to learn from */
} EnsHeadGraphs;

void ens_head_graphs_clear (EnsHeadGraphs *graphs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsHeadGraphs, ens_head_graphs_clear)

typedef struct {
  const char *name;
  /* At most ENS_HEAD_MAX_OPTIONS; their names are keys of the bundle's provenance too. */
  const EnsOption *options;
  /* The same task gives the same bits, whatever the number of threads. FALSE with an error, and
   * graphs that ens_head_graphs_clear () may clear. */
  gboolean (*learn) (const EnsHeadTask *task, EnsHeadGraphs *graphs, GError **error);
} EnsHead;

/* Head i, the default one first; NULL past the last. */
const EnsHead *ens_head_get (guint i);

/* Reads NAME[,OPTION=VALUE…], NULL for the default head: which head, and ENS_HEAD_MAX_OPTIONS
 * values for its options. NULL with an error that says what there is. */
const EnsHead *ens_head_parse (const char *text, double *options, GError **error);

/* Decision values of n_rows rows of n_features features by one of a head's graphs: n_rows ×
 * n_classes, summed in float64. */
typedef struct {
  const EnsGraph *graph;
  const float *features;
  guint n_rows, n_features, n_classes;
} EnsHeadRows;

gboolean ens_head_decide (const EnsHeadRows *rows, float *decisions, EnsThreadPool *pool,
                          GError **error);
