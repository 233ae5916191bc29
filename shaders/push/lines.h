/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_LINES_H
#define ENS_PUSH_LINES_H

/* Lines of `extent` elements in tensors x and y, the first dimensions of a push-constant block:
 * element k of line i is at i / inner · outer + i % inner + k · step. */
#define ENS_LINES        \
  uint n, extent, inner; \
  uint x_outer, x_step;  \
  uint y_outer, y_step

#endif
