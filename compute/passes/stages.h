/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting a graph into stages that take different numbers of images at a time.
 *
 * The feature maps of a whole batch do not fit into the caches, those of one image nearly do. But
 * weights are re-read for every sub-batch. So the first layers of a network, which have large maps
 * and small weights, run on few images at a time, the last ones on many. Between stages, values are
 * kept for the whole batch. */
#pragma once

#include "graph/op.h"

typedef enum {
  ENS_STAGE_INPUT,  /* the graph's input `index` */
  ENS_STAGE_OUTPUT, /* the graph's output `index` */
  ENS_STAGE_KEPT,   /* kept between stages */
} EnsStageArray;

/* Where a stage's input comes from and its output goes to. */
typedef struct {
  EnsStageArray array;
  guint index;
  guint value; /* index in the graph that was cut */
} EnsStagePort;

typedef struct {
  EnsGraph *graph;          /* inputs and outputs in the order of the ports; shapes not inferred */
  guint batch;              /* images, or 1 for whatever the inputs are */
  guint chunk;              /* images at a time; may leave a remainder */
  GArray *inputs, *outputs; /* EnsStagePort */
} EnsStage;

/* Cuts a graph whose load-time passes have run. sample: a copy of it with concrete shapes inferred,
 * whose values have the same indices. There is one stage of the whole batch if inputs have
 * different numbers of images, or nothing is to be gained. Returns EnsStage. (transfer full) */
GPtrArray *ens_graph_cut (const EnsGraph *graph, const EnsGraph *sample);

/* All of the graph as one stage of one chunk. (transfer full) */
GPtrArray *ens_graph_keep_whole (const EnsGraph *graph);
