/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_CONV_AXES_H
#define ENS_PUSH_CONV_AXES_H

/* Words of an axis in the table, axes (z, y, x). */
#define ENS_CONV_AXES 3
#define ENS_CONV_X 0 /* lengths */
#define ENS_CONV_Y 1
#define ENS_CONV_KERNEL 2
#define ENS_CONV_STRIDE 3
#define ENS_CONV_DILATION 4
#define ENS_CONV_PAD 5 /* before the first element */
#define ENS_CONV_WORDS 6

#endif
