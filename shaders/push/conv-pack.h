/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_PACK_H
#define ENS_PUSH_CONV_PACK_H

#include "push.h"

/* Packed weights are [group][panel][tap][row][filter of the panel]; they come from
 * start + group · g + filter_step · f + tap · t + channel · c. */
struct EnsConvPackPush {
  uint offset[2]; /* weights, packed */
  uint n;
  uint panel, rows, taps, panels;
  uint filters, channels; /* of a group */
  int start, group, filter_step, tap, channel;
};
ENS_PUSH (EnsConvPackPush)

#endif
