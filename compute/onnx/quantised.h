/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What operators of quantised networks are composed of. */
#pragma once

#include "onnx/compose.h"

/* Where an operator has its inputs: a quantised tensor, its scale and its zero point. */
typedef struct {
  guint tensor, scale, zero; /* scale ENS_NO_SCALE: 1 */
  gint64 axis;               /* along which there may be several scales; −1: there is one */
  gint64 block;              /* a scale for so many positions along the axis; 0: no blocks */
} EnsQuantised;

#define ENS_NO_SCALE G_MAXUINT

/* The tensor's real numbers. What the file says of the scale of a tensor that has real numbers
 * already makes no difference. */
const char *ens_compose_reals (EnsCompose *compose, const EnsQuantised *quantised);
/* 32-bit integers whose scale is the product of those of the two operands, for `n` columns or
 * filters of the second; they are added to these. */
const char *ens_compose_bias (EnsCompose *compose, guint input, const EnsQuantised *a,
                              const EnsQuantised *b, gint64 n);
/* The result, rounded to the real numbers that integers of this scale and zero point stand for. */
const char *ens_compose_quantised (EnsCompose *compose, const char *exact, guint scale, guint zero);
/* The same of known numbers, which may have several scales along an axis. */
const char *ens_compose_rounded (EnsCompose *compose, const EnsQuantised *quantised);

/* The result, rounded to 256 numbers from the least to the largest of its own; of each image by
 * itself, so that no image's results depend on what it is computed with. */
const char *ens_compose_range_quantised (EnsCompose *compose, const char *x);

/* Output 0 is of integers that these real numbers stand for. */
void ens_compose_integers (EnsCompose *compose, const char *name);
/* Output 0 is what this exact result is rounded to, and the node is done. */
gboolean ens_compose_finish_rounded (EnsCompose *compose, const char *exact, guint scale,
                                     guint zero);
/* As ens_compose_finish (); the node counts as a quantised one. */
gboolean ens_compose_finish_quantised (EnsCompose *compose);
