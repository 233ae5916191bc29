/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LANES 16
#define TILE_ROWS 14
#define LEVEL "avx512"
#define LEVEL_TABLE ens_kernels_avx512

#include "kernels/level-template.h"
