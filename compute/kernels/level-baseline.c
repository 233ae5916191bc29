/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LANES 4
#define TILE_ROWS 6
#define LEVEL "baseline"
#define LEVEL_TABLE ens_kernels_baseline

#include "kernels/level-template.h"
