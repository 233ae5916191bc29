/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_PREPROCESS_H
#define ENS_PUSH_PREPROCESS_H

#include "push.h"

/* The table that says where a batch's pixels come from, in words of 32 bits, floats as their bits.
 * It begins with three components: each one's first byte in the frame, bytes from one of its
 * samples to the next, and from one row to the next. */
#define ENS_PREPROCESS_COMPONENT_WORDS 3
/* Three channels follow: the weights of the components, what is added to their sum, the mean that
 * is subtracted from the sum between 0 and 255, and what that is multiplied by. */
#define ENS_PREPROCESS_CHANNELS 9
#define ENS_PREPROCESS_CHANNEL_WORDS 6
/* Then, for each rectangle and each grid of samples (the frame's, and that of half its size), the
 * outputs of the axis x, and of y: how many samples one takes, one over half the width of its
 * triangle, and for each output its first sample and how far behind the output's centre that one's
 * centre lies. */
#define ENS_PREPROCESS_AXES 27
#define ENS_PREPROCESS_AXIS_WORDS 2
#define ENS_PREPROCESS_OUTPUT_WORDS 2

struct EnsPreprocessPush {
  uint offset[3];     /* frame, table, y */
  uint width, height; /* of a picture */
  uint channels;      /* of y: 1 or 3 */
  uint components[2]; /* how many lie on each grid, those of the first grid first */
};
ENS_PUSH (EnsPreprocessPush)

#endif
