/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The geometry of convolution and pooling. */
#pragma once

#include "kernels/conv.h"
#include "ops/operands.h"

/* What a node's sliding means for an input: always three spatial axes, the first ones of length 1
 * where the tensor has fewer. */
typedef struct {
  gint64 batch, channels;
  gint64 input[ENS_MAX_SPATIAL], output[ENS_MAX_SPATIAL];
  gint64 kernel[ENS_MAX_SPATIAL], strides[ENS_MAX_SPATIAL], dilations[ENS_MAX_SPATIAL];
  gint64 pads_begin[ENS_MAX_SPATIAL], pads_end[ENS_MAX_SPATIAL];
} EnsGeometry;

extern const char *const ens_auto_pad_names[];

/* A list with one element per spatial axis, as many as the other lists of `sliding` have. */
#define ENS_SPATIAL_MEMBER(type, member)                 \
  .kind = ENS_ATTRIBUTE_INTS, ENS_MEMBER (type, member), \
  .count = G_STRUCT_OFFSET (type, sliding.rank), .length = ENS_MAX_SPATIAL
/* The attributes that are the member `sliding` of a struct; kernel_shape with these flags. */
#define ENS_SLIDING_ATTRIBUTES(type, kernel_flags)                                    \
  {"kernel_shape", ENS_SPATIAL_MEMBER (type, sliding.kernel), .flags = kernel_flags}, \
      {"strides", ENS_SPATIAL_MEMBER (type, sliding.strides), .integer = 1},          \
      {"dilations", ENS_SPATIAL_MEMBER (type, sliding.dilations), .integer = 1},      \
      {"pads", ENS_SPATIAL_MEMBER (type, sliding.pads_begin),                         \
       .second = G_STRUCT_OFFSET (type, sliding.pads_end)},                           \
  {                                                                                   \
    "auto_pad", ENS_ATTRIBUTE_NAME, ENS_MEMBER (type, sliding.auto_pad),              \
        .names = ens_auto_pad_names                                                   \
  }

/* For input 0, (N, spatial …, C) of rank 3 to 5, and a kernel of `kernel` (one length per spatial
 * axis). Checks what it uses; with what has been checked before it can't fail. */
gboolean ens_sliding_resolve (const EnsOperands *operands, const EnsSliding *sliding,
                              const gint64 *kernel, gboolean ceil_mode, EnsGeometry *geometry,
                              GError **error);

/* Lengths that kernels can count with: `value` is at least `min` and not absurdly large. */
gboolean ens_check_length (const EnsOperands *operands, const char *what, gint64 value, gint64 min,
                           GError **error);

/* Sets output 0 to (N, spatial …, channels). */
gboolean ens_set_sliding_output (EnsOperands *operands, const EnsGeometry *geometry,
                                 gint64 channels, GError **error);

/* The last `rank` axes as explicit attributes that mean the same for such an input. */
void ens_geometry_get_sliding (const EnsGeometry *geometry, guint rank, EnsSliding *sliding);

/* The transposed convolution that leads from output positions back to the input's, all of them:
 * sliding and output_padding are set. */
void ens_geometry_get_transposed (const EnsGeometry *geometry, guint rank,
                                  EnsConvTransposeParams *transposed);

/* What the fast kernels know of a flat geometry's convolution. */
EnsConvShape ens_geometry_conv_shape (const EnsGeometry *geometry, gint64 filters, gint64 groups);

/* Taps of the kernel, which may be more than an integer holds. */
double ens_geometry_count_taps (const EnsGeometry *geometry);

/* TRUE if the first axis is of length 1 throughout: what the fast kernels, which know two axes,
 * can compute. */
gboolean ens_geometry_is_flat (const EnsGeometry *geometry);

/* Position (batch, z, y, x) of a map of these sizes: its first element in a view. */
gsize ens_geometry_offset (const EnsView *view, const gint64 *sizes, gint64 batch,
                           const gint64 *position);

/* The input's position that a tap reads for an output position, or −1: there is none. */
static inline gint64
ens_geometry_find_input (const EnsGeometry *geometry, guint axis, gint64 position, gint64 tap)
{
  gint64 from = position * geometry->strides[axis] + tap * geometry->dilations[axis]
                - geometry->pads_begin[axis];

  return from < geometry->input[axis] ? MAX (from, -1) : -1;
}

/* The same where inputs and outputs have changed places, as in a transposed convolution: the
 * input's position whose tap writes to an output position. */
static inline gint64
ens_geometry_find_source (const EnsGeometry *geometry, guint axis, gint64 position, gint64 tap)
{
  gint64 from = position + geometry->pads_begin[axis] - tap * geometry->dilations[axis];

  if (from < 0 || from % geometry->strides[axis] != 0)
    return -1;
  from /= geometry->strides[axis];
  return from < geometry->input[axis] ? from : -1;
}

/* Walks of references, over output positions (batch, z, y, x) and over what a window sees:
 *
 *   EnsPositions at = {.geometry = geometry};
 *
 *   while (ens_positions_next (&at)) {
 *     EnsTaps taps = {.geometry = geometry, .position = at.position};
 *
 *     while (ens_taps_next (&taps))
 *       …
 *   } */
typedef struct {
  const EnsGeometry *geometry;
  gint64 n_walked;
  gint64 batch, position[ENS_MAX_SPATIAL];
} EnsPositions;

gboolean ens_positions_next (EnsPositions *walk);

/* The taps that find an input or, if `transposed`, a source. */
typedef struct {
  const EnsGeometry *geometry;
  const gint64 *position;
  gboolean transposed;
  gint64 n_walked;
  gint64 tap;                 /* in the kernel, the last axis fastest */
  gint64 at[ENS_MAX_SPATIAL]; /* the input's position */
} EnsTaps;

gboolean ens_taps_next (EnsTaps *walk);
