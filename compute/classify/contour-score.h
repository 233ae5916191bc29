/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well contours that were found agree with those that people have drawn.
 *
 * At each of 99 thresholds the pixels that were found are matched with drawn ones, one to one, each
 * pair at most 0.0075 of the picture's diagonal apart and as many pairs as there can be. Precision
 * is the share of the found pixels that have a partner. Recall is that of the drawn ones, each
 * weighted by the share of people who drew it. The figure for a method is the highest F measure of
 * one threshold for all pictures (optimal data set scale, ODS).
 *
 * This is a variant of the benchmark of Arbeláez, Maire, Fowlkes and Malik, "Contour Detection and
 * Hierarchical Image Segmentation", PAMI 2011: that matches with each person's drawing in turn,
 * this with all of them laid over each other. Figures of the two can't be compared. */
#pragma once

#include "vision/edges.h"

G_BEGIN_DECLS

/* i / (ENS_CONTOUR_N_THRESHOLDS + 1), for i from 1. */
#define ENS_CONTOUR_N_THRESHOLDS 99

/* Sums over pictures, by threshold from the lowest. {0} begins. */
typedef struct {
  guint64 n_found[ENS_CONTOUR_N_THRESHOLDS];   /* pixels */
  guint64 n_matched[ENS_CONTOUR_N_THRESHOLDS]; /* of them */
  double recalled[ENS_CONTOUR_N_THRESHOLDS];   /* weight of their partners */
  double drawn;                                /* weight of all that was drawn */
} EnsContourCounts;

/* Makes of what people have drawn, 0 … 1 their share at each pixel, lines of a pixel's width.
 * Drawings of a contour seldom coincide: lines that lie a pixel or two beside each other become
 * one, which has their shares' sum, at most 1. drawn: made. */
void ens_contour_thin_truth (const EnsPlane *truth, EnsPlane *drawn);

/* Adds a picture. found: 0 … 1, lines of a pixel's width; drawn: as ens_contour_thin_truth () makes
 * it; of the same size. */
void ens_contour_count (const EnsPlane *found, const EnsPlane *drawn, EnsContourCounts *counts);
void ens_contour_counts_add (EnsContourCounts *counts, const EnsContourCounts *other);

typedef struct {
  double f, precision, recall, threshold;
} EnsContourScore;

/* At threshold i of those above, from 0. Precision is 1 where nothing was found. */
EnsContourScore ens_contour_score_at (const EnsContourCounts *counts, guint i);
/* The one with the highest F measure; of equal ones the lowest threshold's. */
EnsContourScore ens_contour_score (const EnsContourCounts *counts);

G_END_DECLS
