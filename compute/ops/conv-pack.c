/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-recording.h"

#include <string.h>

EnsConvPacking
ens_conv_packing (const EnsGpuConv *conv, guint panel)
{
  const EnsConvShape *shape = &conv->shape;

  return (EnsConvPacking) {.conv = conv,
                           .type = conv->y->type,
                           .groups = shape->groups,
                           .filters = shape->filters / shape->groups,
                           .taps = shape->kernel_height * shape->kernel_width,
                           .channels = shape->channels / shape->groups,
                           .rows = shape->channels / shape->groups,
                           .panel = panel};
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
  if (packing->conv->channels_first)
    return (gsize)channel * packing->filters + filter;
  return ((gsize)filter * packing->taps + tap) * packing->channels + channel;
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
pack_weights (gpointer data, const EnsTensor *constant, gpointer packed)
{
  const EnsConvPacking *packing = data;
  EnsView from = {.type = constant->type, .data = constant->data};
  EnsView to = {.type = packing->type, .data = packed};

  memset (packed, 0, packed_elements (packing) * ens_type_size (packing->type));
  for (guint filter = 0; filter < packing->groups * packing->filters; filter++)
    for (guint tap = 0; tap < packing->taps; tap++)
      pack_tap (packing, &from, &to, filter, tap);
}

const EnsView *
ens_conv_get_packed (const EnsConvPacking *packing, EnsCommands *commands)
{
  g_autofree char *kind =
      g_strdup_printf ("conv/%s/%u/%u/%u%s", ens_type_name (packing->type), packing->groups,
                       packing->rows, packing->panel, packing->conv->channels_first ? "/t" : "");

  return ens_commands_pack (commands, packing->conv->weights, g_intern_string (kind),
                            packed_elements (packing) * ens_type_size (packing->type), pack_weights,
                            (gpointer)packing);
}
