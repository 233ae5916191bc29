/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions by their definition on a GPU: for what no faster shader takes. */
#pragma once

#include "graph/commands.h"
#include "ops/sliding.h"

typedef struct {
  const char *shader; /* "conv-direct" or "conv-transpose" */
  const EnsGeometry *geometry;
  gint64 groups;
  const EnsView *x, *weights, *y;       /* weights as the graph has them, dense */
  const EnsView *bias, *residual;       /* or NULL */
  const EnsFusedActivation *activation; /* NULL: none */
} EnsConvDirect;

/* What shaders read of a geometry: for each axis ENS_CONV_WORDS of push/conv-direct.h. */
const EnsView *ens_conv_record_axes (const EnsGeometry *geometry, EnsCommands *commands);

/* FALSE, and nothing recorded, if there are more products to sum up than a shader can. */
gboolean ens_conv_direct_record (const EnsConvDirect *conv, EnsCommands *commands);
