/* The geometry of convolution and pooling. */
#pragma once

#include "ops/operands.h"

/* What a node's sliding means for an input: always three spatial axes, the first ones of length 1
 * where the tensor has fewer. */
typedef struct {
  gint64 batch, channels;
  gint64 input[ENS_MAX_SPATIAL], output[ENS_MAX_SPATIAL];
  gint64 kernel[ENS_MAX_SPATIAL], strides[ENS_MAX_SPATIAL], dilations[ENS_MAX_SPATIAL];
  gint64 pads_begin[ENS_MAX_SPATIAL], pads_end[ENS_MAX_SPATIAL];
} EnsGeometry;

gboolean ens_parse_sliding (EnsParse *parse, EnsSliding *sliding, GError **error);
void ens_write_sliding (const EnsSliding *sliding, EnsAttributes *attributes);

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

/* TRUE if the first axis is of length 1 throughout: what the fast kernels, which know two axes,
 * can compute. */
gboolean ens_geometry_is_flat (const EnsGeometry *geometry);

/* Position (batch, z, y, x) of a map of these sizes: its first element in a view. */
gsize ens_geometry_offset (const EnsView *view, const gint64 *sizes, gint64 batch,
                           const gint64 *position);
