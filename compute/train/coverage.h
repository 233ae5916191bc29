/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Targets of a network's dense map: at each position the share of a class's object that lies inside
 * the part of the picture that the position stands for (M1.10). */
#pragma once

#include "dataset/dataset.h"
#include "train/dense-map.h"
#include "vision/augment.h"

G_BEGIN_DECLS

/* What a position's target is where there are boxes. */
typedef enum {
  ENS_COVERAGE_MAX,   /* the largest share among the class's objects */
  ENS_COVERAGE_UNION, /* the share of all of them together */
  ENS_COVERAGE_IMAGE, /* one for all positions: the objects' share of the sub-image */
  ENS_N_COVERAGES,
} EnsCoverage;

/* By value, up to a NULL. */
extern const char *const ens_coverage_names[];

/* The share of an object that lies inside a region: 1 wholly inside, 0 outside. */
double ens_cover (const EnsRect *object, const EnsRect *region);

typedef struct {
  const EnsDenseMap *map;
  guint n_classes;
  EnsCoverage coverage;
  double positive_weight; /* ω: a target of 1 counts so many times as much as one of 0 */
} EnsTargetParams;

/* Objects of fewer pixels, in a picture whose shorter side is that of the input, teach nothing. */
#define ENS_MIN_OBJECT_PIXELS 4.0

/* Sets targets and weights, rows × columns × n_classes each, of what `augmentation` shows of an
 * item. An object is what its mask says, if it has one, else all of its box. Without boxes a target
 * is the item's label at every position. Weights are 0 where nothing is known: of unknown labels,
 * and at positions that show a part of an object that is difficult, a crowd, or too small. */
void ens_targets_fill (const EnsTargetParams *params, const EnsDatasetItem *item,
                       const EnsAugmentation *augmentation, float *targets, float *weights);

G_END_DECLS
