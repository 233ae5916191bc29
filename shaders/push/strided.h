/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_STRIDED_H
#define ENS_PUSH_STRIDED_H

/* Words of an axis in a table of axes: its length and the strides of up to four arrays. */
#define ENS_AXIS_WORDS 5

#endif
