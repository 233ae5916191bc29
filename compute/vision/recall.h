/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well windows cover objects whose boxes are known.
 *
 * Source: J. Hosang, R. Benenson, P. Dollár, B. Schiele, What Makes for Effective Detection
 * Proposals?, PAMI 2016 (recall); Uijlings et al., IJCV 2013 (average best overlap). */
#pragma once

#include "vision/selective-search.h"

/* What is asked: the best n windows, for each n of list_sizes. A size of 0 stands for all. */
typedef struct {
  guint n_lists, n_thresholds;
  const guint *list_sizes;
  const float *thresholds; /* of intersection over union; an overlap equal to it counts */
} EnsRecallSettings;

/* An object's box and its class, an index from 0 on. */
typedef struct {
  EnsRect rect;
  guint class_index;
} EnsObject;

typedef struct _EnsRecall EnsRecall;

/* Copies the settings. */
EnsRecall *ens_recall_new (const EnsRecallSettings *settings, guint n_classes);
void ens_recall_free (EnsRecall *recall);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsRecall, ens_recall_free)

/* Adds one image: its windows, best first, and its objects. */
void ens_recall_add (EnsRecall *recall, const EnsWindow *windows, guint n_windows,
                     const EnsObject *objects, guint n_objects);

guint ens_recall_get_objects (const EnsRecall *recall);
/* Windows per image, lists cut to their size. */
double ens_recall_get_windows (const EnsRecall *recall, guint list);
/* The share of objects that a window of the list overlaps by the threshold or more. */
double ens_recall_get_recall (const EnsRecall *recall, guint list, guint threshold);
/* Average best overlap: the mean over objects of the overlap of the window that fits best. */
double ens_recall_get_abo (const EnsRecall *recall, guint list);
/* Mean average best overlap: the mean over classes, of those that have objects. */
double ens_recall_get_mabo (const EnsRecall *recall, guint list);

/* Intersection over union; 0 for empty rectangles. */
float ens_rect_overlap (const EnsRect *a, const EnsRect *b);
