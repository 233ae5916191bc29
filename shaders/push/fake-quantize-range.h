/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_FAKE_QUANTIZE_RANGE_H
#define ENS_PUSH_FAKE_QUANTIZE_RANGE_H

#include "push.h"

/* Images as rows; their bounds are `low_step` and `high_step` apart. */
struct EnsFakeQuantizeRangePush {
  uint offset[4]; /* x, low, high, y */
  uint rows, columns;
  uint low_step, high_step;
};
ENS_PUSH (EnsFakeQuantizeRangePush)

#endif
