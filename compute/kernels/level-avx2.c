/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LANES 8
#define TILE_ROWS 6
#define LEVEL "avx2"
#define LEVEL_TABLE ens_kernels_avx2

#include "kernels/level-template.h"
