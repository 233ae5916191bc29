#include "ops/conv-gpu.h"

#include <string.h>

#include "push/conv.h"
#include "push/widen.h"

/* Filters of a packed panel are filled up to a multiple of this many, which shaders read at once.
 */
#define FOUR 4

static gsize
round_up (gsize n, gsize to)
{
  return (n + to - 1) / to * to;
}

static gsize
divide_up (gsize n, gsize by)
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
} Packing;

static Packing
get_packing (const EnsGpuConv *conv, guint panel)
{
  const EnsConvShape *shape = &conv->shape;

  return (Packing) {.conv = conv,
                    .type = conv->y->type,
                    .groups = shape->groups,
                    .filters = shape->filters / shape->groups,
                    .taps = shape->kernel_height * shape->kernel_width,
                    .channels = shape->channels / shape->groups,
                    .rows = shape->channels / shape->groups,
                    .panel = panel};
}

static guint
get_panels (const Packing *packing)
{
  return (guint)divide_up (packing->filters, packing->panel);
}

static gsize
packed_elements (const Packing *packing)
{
  return (gsize)packing->groups * get_panels (packing) * packing->taps * packing->rows
         * packing->panel;
}

/* Where the weight of a filter, counted over all groups, for a tap's channel goes. */
static gsize
packed_at (const Packing *packing, guint filter, guint tap, guint channel)
{
  guint group = filter / packing->filters, column = filter % packing->filters;
  gsize panel = (gsize)group * get_panels (packing) + column / packing->panel;

  return ((panel * packing->taps + tap) * packing->rows + channel) * packing->panel
         + column % packing->panel;
}

static gsize
constant_at (const Packing *packing, guint filter, guint tap, guint channel)
{
  if (packing->conv->channels_first)
    return (gsize)channel * packing->filters + filter;
  return ((gsize)filter * packing->taps + tap) * packing->channels + channel;
}

static void
pack_tap (const Packing *packing, const EnsView *from, const EnsView *to, guint filter, guint tap)
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
  const Packing *packing = data;
  EnsView from = {.type = constant->type, .data = constant->data};
  EnsView to = {.type = packing->type, .data = packed};

  memset (packed, 0, packed_elements (packing) * ens_type_size (packing->type));
  for (guint filter = 0; filter < packing->groups * packing->filters; filter++)
    for (guint tap = 0; tap < packing->taps; tap++)
      pack_tap (packing, &from, &to, filter, tap);
}

static const EnsView *
get_weights (const Packing *packing, EnsCommands *commands)
{
  g_autofree char *kind =
      g_strdup_printf ("conv/%s/%u/%u/%u%s", ens_type_name (packing->type), packing->groups,
                       packing->rows, packing->panel, packing->conv->channels_first ? "/t" : "");

  return ens_commands_pack (commands, packing->conv->weights, g_intern_string (kind),
                            packed_elements (packing) * ens_type_size (packing->type), pack_weights,
                            (gpointer)packing);
}

/* Dispatches */

typedef struct {
  const EnsGpuConv *conv;
  EnsCommands *commands;
  const EnsGpuTraits *traits;
  Packing packing;
  EnsConvPush push;
} Recording;

static EnsConvPush
get_push (const EnsGpuConv *conv)
{
  const EnsConvShape *shape = &conv->shape;

  return (EnsConvPush) {
      .batch = shape->batch,
      .height = shape->height,
      .width = shape->width,
      .y_height = ens_conv_output_height (shape),
      .y_width = ens_conv_output_width (shape),
      .x_pitch = conv->x_pitch,
      .residual_pitch = conv->residual_pitch,
      .y_pitch = conv->y_pitch,
      .channels = shape->channels / shape->groups,
      .filters = shape->filters / shape->groups,
      .kernel_height = shape->kernel_height,
      .kernel_width = shape->kernel_width,
      .stride_y = shape->stride_y,
      .stride_x = shape->stride_x,
      .dilation_y = shape->dilation_y,
      .dilation_x = shape->dilation_x,
      .pad_top = (int)shape->pad_top,
      .pad_left = (int)shape->pad_left,
      .alpha = conv->activation->alpha,
      .beta = conv->activation->beta,
  };
}

/* Packs the weights; the caller sets bindings that differ, constants from 2 on, and groups. */
static EnsDispatch
begin (Recording *recording, const char *shader, guint panel)
{
  const EnsGpuConv *conv = recording->conv;
  const EnsView *weights;

  recording->packing.panel = panel;
  recording->push.weights_pitch = panel;
  weights = get_weights (&recording->packing, recording->commands);
  return (EnsDispatch) {
      .shader = shader,
      .storage = conv->y->type,
      .bindings = {{conv->x, ENS_ACCESS_READ},
                   {weights, ENS_ACCESS_READ},
                   {ens_gpu_operand (conv->bias, weights), ENS_ACCESS_READ},
                   {ens_gpu_operand (conv->residual, weights), ENS_ACCESS_READ},
                   {conv->y, ENS_ACCESS_WRITE}},
      .n_bindings = 5,
      .constants = {conv->activation->kind, (conv->bias != NULL ? ENS_CONV_BIAS : 0)
                                                | (conv->residual != NULL ? ENS_CONV_RESIDUAL : 0)},
      .n_constants = 2,
      .push = &recording->push,
      .push_size = sizeof recording->push,
      .groups = {1, 1, 1},
  };
}

static void
add_constant (EnsDispatch *dispatch, guint32 value)
{
  dispatch->constants[dispatch->n_constants++] = value;
}

static gsize
count_pixels (const Recording *recording)
{
  return (gsize)recording->push.batch * recording->push.y_height * recording->push.y_width;
}

#define DEPTHWISE_PIXELS 4 /* of an invocation */

static gboolean
is_depthwise (const EnsConvShape *shape)
{
  return shape->groups == shape->channels && shape->groups == shape->filters && shape->groups > 1;
}

/* What depthwise convolutions pack is one matrix of a row for each tap. */
static void
join_groups (Recording *recording)
{
  recording->packing.filters = recording->packing.groups;
  recording->packing.groups = 1;
  recording->push.channels = recording->push.filters = recording->conv->shape.channels;
}

static void
cover_depthwise (const Recording *recording, EnsDispatch *dispatch)
{
  const EnsConvPush *push = &recording->push;
  gsize rows = (gsize)push->batch * push->y_height;

  ens_commands_cover (
      recording->commands, dispatch,
      rows * divide_up (push->y_width, DEPTHWISE_PIXELS) * divide_up (push->channels, FOUR), 64);
}

static void
record_depthwise (Recording *recording)
{
  EnsDispatch dispatch;

  join_groups (recording);
  dispatch =
      begin (recording, "conv-depthwise", (guint)round_up (recording->packing.filters, FOUR));
  add_constant (&dispatch, DEPTHWISE_PIXELS);
  cover_depthwise (recording, &dispatch);
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* From texel buffers: on software devices. */

static gboolean
is_long (const EnsConvPush *push)
{
  gsize taps = (gsize)push->kernel_height * push->kernel_width;

  return taps * (divide_up (push->channels, FOUR) + 1) > ENS_GPU_MAX_ITERATIONS;
}

/* Makes the channels of each group begin at a multiple of four, by a copy if they don't. */
static void
widen (Recording *recording, EnsBinding *x, guint groups)
{
  const EnsConvShape *shape = &recording->conv->shape;
  guint channels = shape->channels / groups, fours = (guint)divide_up (channels, FOUR);
  gsize pixels = (gsize)shape->batch * shape->height * shape->width;
  EnsWidenPush push = {.pixels = (guint)pixels,
                       .groups = groups,
                       .channels = channels,
                       .fours = fours,
                       .x_pitch = recording->push.x_pitch};
  EnsDispatch dispatch = {.shader = "widen",
                          .storage = x->view->type,
                          .bindings = {{x->view, ENS_ACCESS_READ}},
                          .n_bindings = 2,
                          .push = &push,
                          .push_size = sizeof push};

  *x = (EnsBinding) {x->view, ENS_ACCESS_TEXELS};
  if (channels % FOUR == 0 && ens_commands_by_four (recording->commands, x->view))
    return;
  x->view = ens_commands_scratch (recording->commands, pixels * groups * fours * FOUR
                                                           * ens_type_size (dispatch.storage));
  dispatch.bindings[1] = (EnsBinding) {x->view, ENS_ACCESS_WRITE};
  ens_commands_cover (recording->commands, &dispatch, pixels * groups * fours, 64);
  ens_commands_dispatch (recording->commands, &dispatch);
  recording->push.x_pitch = groups * fours * FOUR;
}

/* Filters of an invocation, in fours: two, unless that leaves much more of the last panel empty. */
static guint
choose_fours (guint filters, guint four_columns)
{
  gsize one = round_up (filters, four_columns), two = round_up (filters, 2 * four_columns);

  return two * 8 <= one * 9 ? 2 : 1;
}

/* Pixels of a subgroup: eight, or as many as there are. */
static guint
choose_pixels (gsize pixels)
{
  return pixels >= 5 ? 8 : pixels >= 3 ? 4 : (guint)pixels;
}

static gboolean
comes_in_fours (const Recording *recording)
{
  const EnsGpuConv *conv = recording->conv;
  const EnsView *views[] = {conv->y, conv->bias, conv->residual};

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    if (views[i] != NULL && !ens_commands_by_four (recording->commands, views[i]))
      return FALSE;
  return recording->push.filters % FOUR == 0;
}

/* Where filters don't come in fours, sums go to memory where they do, and are finished by another
 * dispatch. */
static const EnsView *
add_sums (Recording *recording, EnsDispatch *dispatch)
{
  EnsConvPush *push = &recording->push;
  gsize n;

  push->filters = (guint)round_up (push->filters, FOUR);
  push->y_pitch = recording->packing.groups * push->filters;
  n = count_pixels (recording) * push->y_pitch;
  dispatch->constants[0] = ENS_ACTIVATION_NONE;
  dispatch->constants[1] = 0;
  dispatch->bindings[4].view = ens_commands_scratch (
      recording->commands, round_up (n * ens_type_size (dispatch->storage), sizeof (guint32)));
  return dispatch->bindings[4].view;
}

static void
finish_sums (Recording *recording, const EnsView *sums)
{
  EnsConvPush push = recording->push;
  EnsDispatch dispatch = begin (recording, "conv-finish", recording->packing.panel);

  push.weights_pitch = push.filters;
  push.x_pitch = push.y_pitch;
  push.filters = recording->packing.filters;
  push.y_pitch = recording->conv->y_pitch;
  dispatch.bindings[0].view = sums;
  dispatch.bindings[1].view = sums;
  dispatch.push = &push;
  ens_commands_cover (recording->commands, &dispatch,
                      count_pixels (recording) * push.x_pitch / FOUR, 64);
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* Dispatches what computes sums in fours. */
static void
dispatch_fours (Recording *recording, EnsDispatch *dispatch)
{
  const EnsView *sums = comes_in_fours (recording) ? NULL : add_sums (recording, dispatch);

  ens_commands_dispatch (recording->commands, dispatch);
  if (sums != NULL)
    finish_sums (recording, sums);
}

/* Whether windows side by side share what they read. */
static gboolean
has_plain_rows (const EnsConvPush *push)
{
  enum { MAX_WIDTH = 7, MAX_STRIDE = 2 }; /* beyond, code gets long */

  return push->dilation_x == 1 && push->kernel_width <= MAX_WIDTH && push->stride_x <= MAX_STRIDE;
}

static void
record_depthwise_texels (Recording *recording)
{
  EnsBinding x = {recording->conv->x, ENS_ACCESS_TEXELS};
  EnsDispatch dispatch;

  join_groups (recording);
  widen (recording, &x, 1);
  recording->push.channels = (guint)round_up (recording->push.channels, FOUR);
  dispatch = begin (recording, "conv-depthwise-texels", recording->push.channels);
  dispatch.bindings[0] = x;
  dispatch.bindings[1].access = ENS_ACCESS_TEXELS;
  add_constant (&dispatch, DEPTHWISE_PIXELS);
  add_constant (&dispatch, recording->push.kernel_width);
  add_constant (&dispatch, recording->push.stride_x);
  cover_depthwise (recording, &dispatch);
  dispatch_fours (recording, &dispatch);
}

static void
record_texels (Recording *recording)
{
  enum { GROUP_SIZE = 64 };
  guint subgroup = recording->traits->subgroup_size, four_columns = FOUR * subgroup;
  guint fours = choose_fours (recording->push.filters, four_columns);
  guint pixels = choose_pixels (count_pixels (recording));
  EnsBinding x = {recording->conv->x, ENS_ACCESS_TEXELS};
  EnsDispatch dispatch;

  widen (recording, &x, recording->conv->shape.groups);
  recording->packing.rows = recording->push.channels =
      (guint)round_up (recording->push.channels, FOUR);
  dispatch = begin (recording, "conv-texels", fours * four_columns);
  dispatch.bindings[0] = x;
  dispatch.bindings[1].access = ENS_ACCESS_TEXELS;
  add_constant (&dispatch, pixels);
  add_constant (&dispatch, fours);
  add_constant (&dispatch, subgroup);
  dispatch.full_subgroups = TRUE;
  ens_commands_cover (recording->commands, &dispatch,
                      divide_up (count_pixels (recording), pixels)
                          * get_panels (&recording->packing),
                      GROUP_SIZE / subgroup);
  dispatch.groups[2] = recording->conv->shape.groups;
  dispatch_fours (recording, &dispatch);
}

/* From storage buffers. */

/* Few pixels: the inner dimension is shared out. */
#define MAX_ROWS 8

static void
record_rows (Recording *recording)
{
  enum { COLUMNS = 32 }; /* of a workgroup */
  guint rows = 1;
  EnsDispatch dispatch =
      begin (recording, "conv-rows", (guint)round_up (recording->push.filters, FOUR));

  while (rows < recording->push.batch)
    rows *= 2;
  add_constant (&dispatch, rows);
  dispatch.groups[0] = (guint)divide_up (recording->push.filters, COLUMNS);
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* What a workgroup and each of its subgroups compute, pixels (m) by filters (n). */
typedef struct {
  guint m, n, sub_m, sub_n;
} Tile;

static const Tile tiles[] = {
    {128, 128, 64, 32},
    {128, 64, 32, 32},
    {64, 64, 32, 32},
    {32, 32, 16, 32},
};

/* How a tile is computed: shared memory is laid out as in shaders/conv-tile.glsl. */
typedef struct {
  Tile tile;
  guint k, fragment_k, subgroup;
} Tiling;

#define FRAGMENT 16 /* rows and columns of what a subgroup multiplies at once */

static guint
count_subgroups (const Tile *tile)
{
  return tile->m / tile->sub_m * (tile->n / tile->sub_n);
}

static gsize
shared_size (const Tiling *tiling, EnsType type)
{
  const Tile *tile = &tiling->tile;
  gsize gap = 16 / ens_type_size (type);
  gsize elements = tile->m * (tiling->k + gap) + tiling->k * (tile->n + gap);

  return elements * ens_type_size (type) + tile->m * 4 * sizeof (gint32)
         + count_subgroups (tile) * FRAGMENT * FRAGMENT * sizeof (float);
}

/* The largest tile that leaves enough of them to keep the device busy. */
static Tiling
choose_tiling (const Recording *recording, gboolean cooperative)
{
  enum { LANES = 32 };
  const EnsGpuTraits *traits = recording->traits;
  const EnsConvPush *push = &recording->push;
  Tiling tiling = {.k = cooperative ? 32 : 16,
                   .fragment_k = cooperative ? FRAGMENT : FOUR,
                   .subgroup = cooperative ? traits->subgroup_size : LANES};

  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    gsize n = divide_up (count_pixels (recording), tiles[i].m)
              * divide_up (push->filters, tiles[i].n) * recording->conv->shape.groups;

    tiling.tile = tiles[i];
    if (n >= traits->busy_groups && tiles[i].n < 2 * push->filters
        && shared_size (&tiling, recording->conv->y->type) <= traits->max_shared
        && count_subgroups (&tiles[i]) * tiling.subgroup <= traits->max_group_size)
      break;
  }
  return tiling;
}

static void
record_tiles (Recording *recording)
{
  gboolean cooperative =
      recording->traits->cooperative && recording->conv->y->type == ENS_TYPE_FLOAT16;
  Tiling tiling = choose_tiling (recording, cooperative);
  const Tile *tile = &tiling.tile;
  EnsDispatch dispatch = begin (recording, cooperative ? "conv-matrix" : "conv",
                                (guint)round_up (recording->push.filters, FOUR));

  add_constant (&dispatch, count_subgroups (tile) * tiling.subgroup);
  add_constant (&dispatch, tile->m);
  add_constant (&dispatch, tile->n);
  add_constant (&dispatch, tiling.k);
  add_constant (&dispatch, tile->sub_m);
  add_constant (&dispatch, tile->sub_n);
  add_constant (&dispatch, FRAGMENT);
  add_constant (&dispatch, FRAGMENT);
  add_constant (&dispatch, tiling.fragment_k);
  dispatch.full_subgroups = cooperative;
  dispatch.groups[0] = (guint)divide_up (count_pixels (recording), tile->m);
  dispatch.groups[1] = (guint)divide_up (recording->push.filters, tile->n);
  dispatch.groups[2] = recording->conv->shape.groups;
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* Choosing */

/* A kernel that covers the input, or one tap at every pixel, is a product of dense rows: the same
 * without a window to look for. */
static void
simplify (EnsGpuConv *conv)
{
  EnsConvShape *shape = &conv->shape;

  if (shape->pad_top != 0 || shape->pad_left != 0 || shape->pad_bottom != 0
      || shape->pad_right != 0)
    return;
  if (shape->kernel_height == shape->height && shape->kernel_width == shape->width
      && shape->groups == 1 && conv->x_pitch == shape->channels) {
    shape->channels *= shape->height * shape->width;
    conv->x_pitch = shape->channels;
    shape->kernel_height = shape->kernel_width = shape->height = shape->width = 1;
    shape->stride_x = shape->stride_y = shape->dilation_x = shape->dilation_y = 1;
  }
  if (shape->kernel_height == 1 && shape->kernel_width == 1 && shape->stride_y == 1
      && shape->stride_x == 1) {
    shape->batch *= shape->height * shape->width;
    shape->height = shape->width = 1;
  }
}

static gboolean
is_product (const EnsConvShape *shape)
{
  return shape->height == 1 && shape->width == 1 && shape->kernel_height == 1
         && shape->kernel_width == 1 && shape->groups == 1 && shape->pad_top == 0
         && shape->pad_left == 0;
}

static gboolean
is_large (const EnsConvPush *push)
{
  enum { ENOUGH = 8 };

  return push->filters >= ENOUGH
         && push->channels * push->kernel_height * push->kernel_width >= ENOUGH;
}

gboolean
ens_gpu_conv_record (const EnsGpuConv *conv, EnsCommands *commands)
{
  EnsGpuConv simple = *conv;
  Recording recording = {
      .conv = &simple, .commands = commands, .traits = ens_commands_get_traits (commands)};

  simplify (&simple);
  recording.push = get_push (&simple);
  recording.packing = get_packing (&simple, FOUR);
  if (recording.traits->prefers_texels && is_long (&recording.push))
    return FALSE;
  if (is_depthwise (&simple.shape)) {
    if (recording.traits->prefers_texels && has_plain_rows (&recording.push))
      record_depthwise_texels (&recording);
    else
      record_depthwise (&recording);
    return TRUE;
  }
  if (recording.traits->prefers_texels) {
    record_texels (&recording);
    return TRUE;
  }
  if (!is_large (&recording.push))
    return FALSE;
  if (is_product (&simple.shape) && simple.shape.batch <= MAX_ROWS)
    record_rows (&recording);
  else
    record_tiles (&recording);
  return TRUE;
}
