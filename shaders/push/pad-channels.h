#ifndef ENS_PUSH_WIDEN_H
#define ENS_PUSH_WIDEN_H

#include "push.h"

/* Groups of `channels` become groups of 4 · `fours`, zeroes behind. */
struct EnsWidenPush {
  uint offset[2]; /* x, y */
  uint pixels, groups, channels, fours;
  uint x_pitch;
};
ENS_PUSH (EnsWidenPush)

#endif
