/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that record convolutions on a GPU share. */
#pragma once

#include "ops/conv-gpu.h"

#include "push/conv.h"

/* Filters of a packed panel are filled up to a multiple of what shaders read at once. */
#define ENS_CONV_FOUR 4

static inline gsize
ens_conv_round_up (gsize n, gsize to)
{
  return (n + to - 1) / to * to;
}

static inline gsize
ens_conv_divide_up (gsize n, gsize by)
{
  return (n + by - 1) / by;
}

/* Packed weights: for each group, and each panel of so many filters, a matrix with a row for each
 * tap and channel, in this order. */
typedef struct {
  const EnsGpuConv *conv;
  EnsType type;
  guint groups, filters, taps, channels; /* filters and channels of a group */
  guint rows;                            /* of a tap: channels, and zeroes behind them */
  guint panel;
  /* Where weights are: start + group · g + filter · f + tap · t + channel · c. */
  gint start, group, filter, tap, channel;
} EnsConvPacking;

EnsConvPacking ens_conv_packing (const EnsGpuConv *conv, guint panel);
guint ens_conv_count_panels (const EnsConvPacking *packing);
/* The packed weights on the device. Those that are no constants are packed by a dispatch. */
const EnsView *ens_conv_get_packed (const EnsConvPacking *packing, EnsCommands *commands);

typedef struct {
  const EnsGpuConv *conv;
  EnsCommands *commands;
  const EnsGpuTraits *traits;
  EnsConvPacking packing;
  const EnsView *packed; /* once ens_conv_begin () was called */
  EnsConvPush push;
} EnsConvRecording;

/* Packs the weights; the caller sets bindings that differ, constants from 2 on, and groups. */
EnsDispatch ens_conv_begin (EnsConvRecording *recording, const char *shader, guint panel);

static inline void
ens_conv_add_constant (EnsDispatch *dispatch, guint32 value)
{
  dispatch->constants[dispatch->n_constants++] = value;
}

static inline gsize
ens_conv_count_pixels (const EnsConvRecording *recording)
{
  return (gsize)recording->push.batch * recording->push.y_height * recording->push.y_width;
}

/* Whether it multiplies dense rows, each an image of one pixel. */
gboolean ens_conv_is_matmul (const EnsConvShape *shape);

/* In tiles that a workgroup keeps in shared memory; FALSE if the device has room for none. */
gboolean ens_conv_record_tiles (EnsConvRecording *recording);
