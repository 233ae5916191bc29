/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_GRID_H
#define ENS_PUSH_GRID_H

/* Constants of grid-sample.comp and grid-sample-grad.comp: how neighbours are put together, what is
 * beyond the map, and whether −1 and 1 are the centres of its first and last elements, not their
 * edges. */
#define ENS_GRID_LINEAR 0
#define ENS_GRID_NEAREST 1
#define ENS_GRID_CUBIC 2
#define ENS_GRID_ZEROS 0
#define ENS_GRID_BORDER 1
#define ENS_GRID_REFLECTION 2

#endif
