/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a classifier of two branches, which see the same picture (M3.2).
 *
 *   pixels ─→ backbone up to a map ───────────────────────┐
 *     └─→ contour/pixels → contour network → contour/feature ─→ fusion → fusion1 → fusion2
 *                                                                    → pooled → logits
 *
 * The contour network has been trained; its feature is brought to the size of the backbone's map.
 * It wants pictures in a normalisation of its own: an affine function undoes the backbone's.
 *
 * Source: Neural network training method and device for extracting multi-level image contour
 * information, CN113298092B. */
#pragma once

#include "networks/contour.h"
#include "vision/frame.h"

G_BEGIN_DECLS

/* Before the names of the contour network's values, and a slash. */
#define ENS_FUSED_CONTOUR "contour"
#define ENS_FUSED_FEATURE ENS_FUSED_CONTOUR "/feature"
#define ENS_FUSED_LOGITS "logits"

typedef enum {
  ENS_FUSED_CONVOLVE, /* side by side, then 3×3 convolutions with batch normalisation and ReLU */
  ENS_FUSED_CONCAT,   /* side by side alone */
  ENS_N_FUSED_KINDS,
} EnsFusedKind;

/* "convolve" and so on, by value, up to a NULL. */
extern const char *const ens_fused_kind_names[];

/* ENS_FUSED_DEFAULTS sets what has a default; the others have to be set. */
typedef struct {
  const EnsGraph *backbone, *contour; /* as imported; they stay as they are */
  EnsNormalise backbone_pixels, contour_pixels;
  guint size;      /* of the side of pictures that the backbone was made for */
  const char *tap; /* the backbone's map (N, h, w, C); NULL: the last before its labels */
  EnsFusedKind kind;
  guint n_layers, filters; /* of the convolutions */
  double dropout;          /* of what is pooled */
  guint n_classes;
  gboolean without_contour; /* the feature is multiplied by 0: for comparisons */
  guint64 seed;
} EnsFusedParams;

#define ENS_FUSED_DEFAULTS \
  ((EnsFusedParams) {.size = 224, .n_layers = 2, .filters = 256, .dropout = 0.2})

/* The last map of more than one position in front of a classifier's label layer. (transfer full) */
char *ens_fused_find_tap (const EnsGraph *backbone, guint size, GError **error);

/* Of any height and width; one input, called as the backbone's; one output, “logits”. Its values
 * are the backbone's, the contour network's with “contour/” before their names, and those above.
 * NULL with an error that names the network and what was expected. (transfer full) */
EnsGraph *ens_fused_new (const EnsFusedParams *params, GError **error);

/* The backbone's map in a graph that was built so. */
const EnsValue *ens_fused_get_tap (const EnsGraph *graph);
/* What the fusion made last, in front of the pooling. (transfer full) */
char *ens_fused_name_map (const EnsFusedParams *params);

G_END_DECLS
