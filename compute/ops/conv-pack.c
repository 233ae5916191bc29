/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-recording.h"

#include <string.h>

#include "push/conv-pack.h"

static void
set_order (EnsConvPacking *packing)
{
  gint taps = (gint)packing->taps, channels = (gint)packing->channels;
  gint filters = (gint)packing->filters;

  packing->group = filters * taps * channels;
  switch (packing->conv->order) {
  case ENS_GPU_WEIGHTS_PLAIN:
    packing->filter = taps * channels;
    packing->tap = channels;
    packing->channel = 1;
    break;
  case ENS_GPU_WEIGHTS_CHANNELS_FIRST:
    packing->filter = 1;
    packing->channel = filters;
    break;
  case ENS_GPU_WEIGHTS_TURNED:
    packing->start = (taps - 1) * filters;
    packing->filter = 1;
    packing->tap = -filters;
    packing->channel = taps * filters;
    break;
  }
}

EnsConvPacking
ens_conv_packing (const EnsGpuConv *conv, guint panel)
{
  const EnsConvShape *shape = &conv->shape;
  EnsConvPacking packing = {.conv = conv,
                            .type = conv->y->type,
                            .groups = shape->groups,
                            .filters = shape->filters / shape->groups,
                            .taps = shape->kernel_height * shape->kernel_width,
                            .channels = shape->channels / shape->groups,
                            .rows = shape->channels / shape->groups,
                            .panel = panel};

  set_order (&packing);
  return packing;
}

guint
ens_conv_count_panels (const EnsConvPacking *packing)
{
  return (guint)ens_conv_divide_up (packing->filters, packing->panel);
}

static gsize
packed_elements (const EnsConvPacking *packing)
{
  return (gsize)packing->groups * ens_conv_count_panels (packing) * packing->taps * packing->rows
         * packing->panel;
}

/* Where the weight of a filter, counted over all groups, for a tap's channel goes. */
static gsize
packed_at (const EnsConvPacking *packing, guint filter, guint tap, guint channel)
{
  guint group = filter / packing->filters, column = filter % packing->filters;
  gsize panel = (gsize)group * ens_conv_count_panels (packing) + column / packing->panel;

  return ((panel * packing->taps + tap) * packing->rows + channel) * packing->panel
         + column % packing->panel;
}

static gsize
constant_at (const EnsConvPacking *packing, guint filter, guint tap, guint channel)
{
  gint64 group = filter / packing->filters, column = filter % packing->filters;

  return (gsize)(packing->start + group * packing->group + column * packing->filter
                 + (gint64)tap * packing->tap + (gint64)channel * packing->channel);
}

static void
pack_tap (const EnsConvPacking *packing, const EnsView *from, const EnsView *to, guint filter,
          guint tap)
{
  gboolean same = from->type == ENS_TYPE_FLOAT32 && to->type == ENS_TYPE_FLOAT32;

  for (guint c = 0; c < packing->channels; c++) {
    gsize at = packed_at (packing, filter, tap, c);
    gsize source = constant_at (packing, filter, tap, c);

    if (same)
      ((float *)to->data)[at] = ((const float *)from->data)[source];
    else
      ens_view_set_real (to, at, ens_view_real (from, source));
  }
}

static void
pack_weights (gpointer data, const EnsTensor *constant, gpointer packed, EnsThreadPool *pool)
{
  const EnsConvPacking *packing = data;
  EnsView from = {.type = constant->type, .data = constant->data};
  EnsView to = {.type = packing->type, .data = packed};

  memset (packed, 0, packed_elements (packing) * ens_type_size (packing->type));
  for (guint filter = 0; filter < packing->groups * packing->filters; filter++)
    for (guint tap = 0; tap < packing->taps; tap++)
      pack_tap (packing, &from, &to, filter, tap);
}

/* The same in each run, by a dispatch. */
static const EnsView *
record_packing (const EnsConvPacking *packing, EnsCommands *commands)
{
  gsize n = packed_elements (packing);
  const EnsView *packed = ens_commands_scratch (
      commands, ens_conv_round_up (n * ens_type_size (packing->type), sizeof (guint32)));
  EnsConvPackPush push = {.n = (guint32)n,
                          .panel = packing->panel,
                          .rows = packing->rows,
                          .taps = packing->taps,
                          .panels = ens_conv_count_panels (packing),
                          .filters = packing->filters,
                          .channels = packing->channels,
                          .start = packing->start,
                          .group = packing->group,
                          .filter_step = packing->filter,
                          .tap = packing->tap,
                          .channel = packing->channel};
  EnsDispatch dispatch = {
      .shader = "conv-pack",
      .storage = packing->type,
      .bindings = {{packing->conv->weights, ENS_ACCESS_READ}, {packed, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof push};

  ens_commands_cover (commands, &dispatch, n, 64);
  ens_commands_dispatch (commands, &dispatch);
  return packed;
}

const EnsView *
ens_conv_get_packed (const EnsConvPacking *packing, EnsCommands *commands)
{
  static const char *const orders[] = {[ENS_GPU_WEIGHTS_PLAIN] = "",
                                       [ENS_GPU_WEIGHTS_CHANNELS_FIRST] = "/t",
                                       [ENS_GPU_WEIGHTS_TURNED] = "/turned"};
  g_autofree char *kind =
      g_strdup_printf ("conv/%s/%u/%u/%u%s", ens_type_name (packing->type), packing->groups,
                       packing->rows, packing->panel, orders[packing->conv->order]);

  if (packing->conv->constant == NULL)
    return record_packing (packing, commands);
  return ens_commands_pack (commands, packing->conv->constant, g_intern_string (kind),
                            packed_elements (packing) * ens_type_size (packing->type), pack_weights,
                            (gpointer)packing);
}
