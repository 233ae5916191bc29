/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Resize's kernels and shaders sum up. */
#pragma once

#include "ops/operands.h"

enum { INPUT, ROI, SCALES, SIZES };

extern const char *const ens_resize_mode_names[];
extern const char *const ens_resize_coordinate_names[];
extern const char *const ens_resize_rounding_names[];
extern const char *const ens_resize_policy_names[];

/* How positions are found and weighted, as attributes of an EnsResizeParams, which is the struct
 * `type` or its member `path`, a dot behind it. */
#define ENS_RESIZE_ATTRIBUTES(type, path)                                                         \
  {"mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (type, path mode), .names = ens_resize_mode_names},     \
      {"coordinate_transformation_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (type, path coordinates), \
       .names = ens_resize_coordinate_names},                                                     \
      {"nearest_mode", ENS_ATTRIBUTE_NAME, ENS_MEMBER (type, path rounding),                      \
       .names = ens_resize_rounding_names},                                                       \
      {"cubic_coeff_a", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (type, path cubic_a), .real = -0.75F},    \
      {"exclude_outside", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (type, path exclude_outside)},           \
      {"antialias", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (type, path antialias), .since = 18},          \
      {"keep_aspect_ratio_policy", ENS_ATTRIBUTE_NAME, ENS_MEMBER (type, path policy),            \
       .names = ens_resize_policy_names, .since = 18},                                            \
      {"axes", ENS_LIST_MEMBER (type, path axes), .since = 18},                                   \
  {                                                                                               \
    "extrapolation_value", ENS_ATTRIBUTE_FLOAT, ENS_MEMBER (type, path extrapolation)             \
  }

/* How an axis is resized. */
typedef struct {
  gint64 length, resized; /* of the input and the output */
  float scale;
  float start, end; /* of the region, as parts of the length */
} EnsResizeAxis;

/* The params with all lists in them, and an axis for each of the input's. Checks what it uses. */
gboolean ens_resize_resolve (const EnsOperands *operands, EnsResizeParams *params,
                             EnsResizeAxis *axes, GError **error);

/* Whether an axis shows the input as it is. */
gboolean ens_resize_stays (const EnsResizeAxis *axis);

/* n = 0: outside the region's image, where the extrapolation value stands. */
typedef struct {
  guint n;
  gint64 *at;
  double *weights;
} EnsResizeTaps;

/* How many taps elements of an axis have, but those outside. */
guint ens_resize_count_taps (const EnsResizeParams *params, const EnsResizeAxis *axis);

/* Room for the taps of an element of the axis. */
void ens_resize_taps_init (EnsResizeTaps *taps, const EnsResizeParams *params,
                           const EnsResizeAxis *axis);
void ens_resize_taps_clear (EnsResizeTaps *taps);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsResizeTaps, ens_resize_taps_clear)

/* Where along an axis output element i comes from. */
void ens_resize_find_taps (const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 i,
                           EnsResizeTaps *taps);
