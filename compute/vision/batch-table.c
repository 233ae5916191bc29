/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/batch-table.h"

#include <string.h>

#include "vision/pixel-layout.h"
#include "vision/crop-resize.h"

/* Shaders count bytes in 32 bits. */
#define MAX_FRAME_SIZE ((gsize)G_MAXINT32)

/* Where a DMABuf has them. Returns why that can't be, or NULL. */
static const char *
place_in_dma_buf (EnsPackedFrame *packed, const EnsFrame *frame, gsize max_import)
{
  gsize first = G_MAXSSIZE; /* at most, so that sums don't overflow */

  if (!ens_frame_is_dma_buf (frame))
    return "planes lie in several";
  for (guint p = 0; p < packed->n_planes; p++)
    first = MIN (first, frame->dma_bufs[p].offset);
  for (guint p = 0; p < packed->n_planes; p++) {
    EnsPackedPlane *plane = &packed->planes[p];

    plane->offset = frame->dma_bufs[p].offset - first;
    plane->pitch = plane->stride;
    /* In this order nothing overflows. */
    if (plane->offset > max_import || plane->pitch > max_import / plane->n_rows)
      return "a frame takes more bytes there than shaders read at once";
    packed->size =
        MAX (packed->size, plane->offset + (plane->n_rows - 1) * plane->pitch + plane->row_bytes);
  }
  if (packed->size > max_import)
    return "a frame takes more bytes there than shaders read at once";
  packed->dma_buf = frame->dma_bufs[0].fd;
  packed->dma_buf_offset = first;
  return NULL;
}

static void
place_packed (EnsPackedFrame *packed)
{
  packed->size = 0;
  for (guint p = 0; p < packed->n_planes; p++) {
    EnsPackedPlane *plane = &packed->planes[p];

    plane->offset = packed->size;
    plane->pitch = plane->row_bytes;
    packed->size += plane->row_bytes * plane->n_rows;
  }
}

void
ens_packed_frame_init (EnsPackedFrame *packed, const EnsFrame *frame, gsize max_import)
{
  *packed = (EnsPackedFrame) {.n_planes = ens_pixels_planes (frame->pixels), .dma_buf = -1};
  for (guint p = 0; p < packed->n_planes; p++) {
    EnsPackedPlane *plane = &packed->planes[p];

    plane->data = frame->planes[p];
    plane->stride = frame->strides[p];
    plane->row_bytes = ens_pixels_row_bytes (frame->pixels, p, frame->width);
    plane->n_rows = ens_pixels_rows (frame->pixels, p, frame->height);
  }
  if (frame->n_dma_bufs > 0 && max_import > 0)
    packed->refusal = place_in_dma_buf (packed, frame, MIN (max_import, MAX_FRAME_SIZE));
  if (packed->dma_buf < 0)
    place_packed (packed);
}

static void
write_float (guint32 *to, double value)
{
  float number = (float)value;

  memcpy (to, &number, sizeof number);
}

/* Components in the order that the colour map reads them in. */
static void
write_components (guint32 *to, const EnsPixelsLayout *layout, const EnsPackedFrame *packed)
{
  for (guint c = 0; c < 3; c++) {
    guint plane = 0, channel = layout->components[c];

    while (channel >= layout->planes[plane].channels)
      channel -= layout->planes[plane++].channels;
    to[0] = (guint32)packed->planes[plane].offset + channel;
    to[1] = layout->planes[plane].channels;
    to[2] = (guint32)packed->planes[plane].pitch;
    to += ENS_PREPROCESS_COMPONENT_WORDS;
  }
}

static void
write_channels (guint32 *to, const EnsColourMap *map)
{
  for (guint c = 0; c < map->n_outputs; c++) {
    for (guint i = 0; i < 4; i++)
      write_float (&to[i], map->matrix[c][i]);
    write_float (&to[4], map->mean[c]);
    write_float (&to[5], map->scale[c]);
    to += ENS_PREPROCESS_CHANNEL_WORDS;
  }
}

static gsize
get_axis_words (guint n)
{
  return ENS_PREPROCESS_AXIS_WORDS + (gsize)n * ENS_PREPROCESS_OUTPUT_WORDS;
}

/* Returns where the next axis is written. */
static guint32 *
write_axis (guint32 *to, const EnsFilterSpan *span, guint n)
{
  EnsFilterTaps taps = ens_filter_get_taps (span, n);

  to[0] = taps.taps;
  write_float (&to[1], 1 / taps.half_width);
  to += ENS_PREPROCESS_AXIS_WORDS;
  for (guint o = 0; o < n; o++) {
    double distance;

    to[0] = ens_filter_place (span, n, o, &distance);
    write_float (&to[1], distance);
    to += ENS_PREPROCESS_OUTPUT_WORDS;
  }
  return to;
}

/* How many components lie on the frame's grid, and on that of half its size. Of a gray frame's,
 * which are the same, maps read the first. */
static const guint n_components[][2] = {
    [ENS_MODEL_RGB] = {3, 0}, [ENS_MODEL_YCBCR] = {1, 2}, [ENS_MODEL_GRAY] = {1, 0}};

gboolean
ens_batch_table_init (EnsBatchTable *table, const EnsBatchSource *source,
                      const EnsFramedResize *resize)
{
  const EnsFrame *frame = source->frame;
  const EnsPixelsLayout *layout = &ens_pixels_layouts[frame->pixels];
  const guint *components = n_components[layout->model];
  const guint n_grids = components[1] > 0 ? 2 : 1;
  g_autofree EnsRect *whole = ens_framing_get_rects (frame, source->rects, source->n_rects, resize);
  EnsColourMap map;
  guint32 *to;

  if (whole == NULL || source->packed->size > MAX_FRAME_SIZE)
    return FALSE;
  ens_colour_map_init (&map, frame, resize->normalise);
  *table = (EnsBatchTable) {.n = source->n_rects,
                            .push = {.width = resize->width,
                                     .height = resize->height,
                                     .channels = map.n_outputs,
                                     .components = {components[0], components[1]}}};
  table->n_words = ENS_PREPROCESS_AXES
                   + (gsize)source->n_rects * n_grids
                         * (get_axis_words (resize->width) + get_axis_words (resize->height));
  table->table = g_new0 (guint32, table->n_words);
  write_components (table->table, layout, source->packed);
  write_channels (table->table + ENS_PREPROCESS_CHANNELS, &map);
  to = table->table + ENS_PREPROCESS_AXES;
  for (guint i = 0; i < source->n_rects; i++)
    for (guint grid = 0; grid < n_grids; grid++) {
      EnsFilterSpan x, y;

      ens_crop_resize_place (frame, &whole[i], grid, &x, &y);
      to = write_axis (write_axis (to, &x, resize->width), &y, resize->height);
    }
  return TRUE;
}

void
ens_batch_table_clear (EnsBatchTable *table)
{
  g_clear_pointer (&table->table, g_free);
}
