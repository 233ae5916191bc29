/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graph-based segmentation of a small image into regions of even colour.
 *
 * Source: P. F. Felzenszwalb, D. P. Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV
 * 2004. Pixels are the vertices of a graph whose edges weigh the distance in colour of 4-connected
 * neighbours; two components merge along an edge no heavier than the heaviest edge inside either of
 * them plus scale / (its size). */
#pragma once

#include <glib.h>

/* Colours and edge weights count in sixteenths of a level of 0 ... 255. */
#define ENS_SEGMENTATION_UNIT 16

/* Components of fewer pixels join their most similar neighbour before the rule begins to count. */
#define ENS_SEGMENTATION_GRAIN 10

typedef struct {
  guint width, height;
  const gint16 *planes[3]; /* 0 ... 255 * ENS_SEGMENTATION_UNIT; rows without gaps */
} EnsColourImage;

typedef struct {
  guint scale;       /* Felzenszwalb and Huttenlocher's k, in levels: larger gives larger regions */
  guint min_size;    /* pixels: smaller regions join their most similar neighbour */
  guint max_regions; /* min_size doubles until there are no more than these */
} EnsSegmentationSettings;

/* Two components that touch. */
typedef struct {
  guint32 weight; /* of the lightest edge between their pixels */
  guint32 a, b;
} EnsComponentEdge;

/* A segmentation, and the memory to make the next one. */
typedef struct {
  guint n_regions;
  guint32 *labels; /* of the pixels, 0 ... n_regions - 1 */
  guint n_edges;
  EnsComponentEdge *edges; /* one per pair of neighbours, lightest first */
  /*< private >*/
  gsize n_pixels, capacity;
  guint16 *left, *up; /* weights of the edges to the pixel before and to the row above */
  guint32 *parents, *next;
  guint32 *sizes;  /* of components: pixels */
  guint32 *limits; /* of components: the heaviest edge they may merge along */
  /* What runs start from: components of a few pixels each. */
  guint n_base_components, n_base_edges;
  guint32 *base_labels, *base_sizes;
  EnsComponentEdge *base_edges, *unsorted;
  guint64 *lightest;
  guint32 *counts;
} EnsSegmentation;

EnsSegmentation *ens_segmentation_new (void);
void ens_segmentation_free (EnsSegmentation *segmentation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsSegmentation, ens_segmentation_free)

/* Does what all segmentations of one image have in common. */
void ens_segmentation_prepare (EnsSegmentation *segmentation, const EnsColourImage *image);
/* Segments the image prepared, as often as there are settings to try. */
void ens_segmentation_run (EnsSegmentation *segmentation, const EnsSegmentationSettings *settings);
