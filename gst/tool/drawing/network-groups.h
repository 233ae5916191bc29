/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's nodes in groups that are few enough to be drawn.
 *
 * A group is a node with weights, a product, a pooling or whatever brings several groups together,
 * and the nodes behind it that read that group alone and cost next to nothing: normalisation,
 * activation, reshaping. Groups that follow each other several times in a row with the same
 * operators, shapes and connections are a repeat. */
#pragma once

#include "graph/graph.h"

typedef struct {
  const EnsValue *value; /* of an input of the graph, which has no nodes; else NULL */
  GPtrArray *nodes;      /* EnsNode, in order; owned by the graph */
  const EnsNode *main;   /* what costs most of them, or the first one; NULL: it has no nodes */
  double multiply_adds;
  gint64 parameters;
  gboolean has_weights; /* matrices or filters */
  gboolean is_last;     /* gives an output of the graph */
} NetworkGroup;

typedef struct {
  guint from, to; /* groups; from < to */
} NetworkEdge;

/* Groups first … first + n_copies · length - 1. Nothing but the end of a copy is read behind it. */
typedef struct {
  guint first, length, n_copies;
} NetworkRepeat;

typedef struct {
  GArray *groups;  /* NetworkGroup, in topological order */
  GArray *edges;   /* NetworkEdge, each once, sorted by `to` and then by `from` */
  GArray *repeats; /* NetworkRepeat, in order */
  double multiply_adds;
  gint64 parameters;
} NetworkGroups;

/* The graph's shapes have been inferred, and it has to outlive the groups. (transfer full) */
NetworkGroups *network_groups_new (const EnsGraph *graph);
void network_groups_free (NetworkGroups *groups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkGroups, network_groups_free)

/* Numbers that a node reads from the file, but for single ones, such as 0.5. */
gint64 network_count_parameters (const EnsNode *node);
