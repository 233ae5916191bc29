/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boxes of a network's picture, and what connects them. */
#pragma once

#include "layered-layout.h"
#include "network-groups.h"

/* A group, or an output of the graph. */
typedef struct {
  const NetworkGroup *group; /* NULL: an output */
  const EnsValue *output;
  guint g;                     /* number of the group */
  const NetworkRepeat *repeat; /* NULL: it is not repeated */
  gboolean joins;              /* reads several boxes */
  const char *family;          /* a class of the style sheet */
} NetworkBox;

typedef struct {
  GArray *boxes;     /* NetworkBox; of a repeat those of the first copy */
  LayoutEdge *edges; /* each once, as the layout asks for them */
  guint n_edges;
} NetworkBoxes;

/* The graph, and groups of it, have to outlive the boxes. */
void network_boxes_init (NetworkBoxes *boxes, const EnsGraph *graph, const NetworkGroups *groups);
void network_boxes_clear (NetworkBoxes *boxes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NetworkBoxes, network_boxes_clear)

const NetworkBox *network_boxes_get (const NetworkBoxes *boxes, guint b);
