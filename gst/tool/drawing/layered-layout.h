/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places the boxes of a directed graph without cycles in layers from top to bottom, edges going
 * down all the way.
 *
 * A box's layer follows the last of those that it reads. Where an edge passes a layer it gets a
 * place of its own between the boxes. The order in the layers is improved until edges cross
 * seldom; then each box moves as close to the mean of its neighbours as the others leave room for.
 *
 * Sources: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
 * Structures", IEEE Transactions on Systems, Man, and Cybernetics 1981; crossings counted as by
 * Barth, Mutzel and Jünger, "Simple and Efficient Bilayer Cross Counting", JGAA 2004; room shared
 * by isotonic regression, Barlow and Brunk, JASA 1972. */
#pragma once

#include <glib.h>

/* What is not "found" is given. Coordinates grow to the right and down, from 0. Edges are sorted by
 * `to`. */
typedef struct {
  double width, height;
  double above, below; /* room that has to stay free */
  double x, y;         /* found: the left upper corner */
} LayoutBox;

typedef struct {
  double x, y;
} LayoutPoint;

typedef struct {
  guint from, to; /* boxes; from < to */
  GArray *points; /* found: LayoutPoint, from one box to the other, in pairs on one vertical */
} LayoutEdge;

typedef struct {
  LayoutBox *boxes;
  guint n_boxes;
  LayoutEdge *edges;
  guint n_edges;
  double column_gap, layer_gap;
  double width, height; /* found: of all of it */
} Layout;

/* The same graph gives the same places. */
void layout_run (Layout *layout);
/* Frees what was found. */
void layout_clear (Layout *layout);
