/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_PRODUCT_H
#define ENS_PUSH_PRODUCT_H

#include "functions.h"
#include "push.h"

/* y = activation (alpha · a · b + c_factor · c), a batch of products: strides of rows and columns
 * of the three operands, 0 where they repeat; y is dense. */
struct EnsMatMulPush {
  uint offset[5]; /* a, b, c, y, table: per product, where its a and its b begin */
  uint n;         /* elements of y */
  uint rows, inner, columns;
  uint a_row, a_column, b_row, b_column, c_row, c_column;
  float factor, c_factor;
  float alpha, beta; /* of the activation */
};
ENS_PUSH (EnsMatMulPush)

#endif
