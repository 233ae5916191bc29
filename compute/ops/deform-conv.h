/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What DeformConv's files share. */
#pragma once

#include "ops/sliding.h"

enum {
  ENS_DEFORM_X,
  ENS_DEFORM_WEIGHTS,
  ENS_DEFORM_OFFSETS,
  ENS_DEFORM_BIAS,
  ENS_DEFORM_MASK,
};

typedef struct {
  EnsSliding sliding;
  gint64 group, offset_group;
} EnsDeformParams;

/* What a node's shapes come to. */
typedef struct {
  EnsGeometry geometry;
  gint64 filters, taps;
  gint64 group_channels, group_filters; /* of a group of the weights */
  gint64 offset_channels;               /* of a group of the offsets */
} EnsDeform;

gboolean ens_deform_resolve (const EnsOperands *operands, EnsDeform *deform, GError **error);
gboolean ens_deform_gradient (EnsGradient *gradient, GError **error);
