/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/conv-recording.h"
#include "ops/record.h"

#include "push/pad-channels.h"

/* Dispatches */

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

EnsDispatch
ens_conv_begin (EnsConvRecording *recording, const char *shader, guint panel)
{
  const EnsGpuConv *conv = recording->conv;
  const EnsView *weights;

  if (recording->packed == NULL || recording->packing.panel != panel) {
    recording->packing.panel = panel;
    recording->packed = ens_conv_get_packed (&recording->packing, recording->commands);
  }
  recording->push.weights_pitch = panel;
  weights = recording->packed;
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

#define DEPTHWISE_PIXELS 4 /* of an invocation */

static gboolean
is_depthwise (const EnsConvShape *shape)
{
  return shape->groups == shape->channels && shape->groups == shape->filters && shape->groups > 1;
}

/* What depthwise convolutions pack is one matrix of a row for each tap. */
static void
join_groups (EnsConvRecording *recording)
{
  recording->packing.filters = recording->packing.groups;
  recording->packing.groups = 1;
  recording->packing.filter = recording->packing.group;
  recording->push.channels = recording->push.filters = recording->conv->shape.channels;
}

static void
cover_depthwise (const EnsConvRecording *recording, EnsDispatch *dispatch)
{
  const EnsConvPush *push = &recording->push;
  gsize rows = (gsize)push->batch * push->y_height;

  ens_commands_cover (recording->commands, dispatch,
                      rows * ens_conv_divide_up (push->y_width, DEPTHWISE_PIXELS)
                          * ens_conv_divide_up (push->channels, ENS_CONV_FOUR),
                      64);
}

static void
record_depthwise (EnsConvRecording *recording)
{
  EnsDispatch dispatch;

  join_groups (recording);
  dispatch = ens_conv_begin (recording, "conv-depthwise",
                             (guint)ens_conv_round_up (recording->packing.filters, ENS_CONV_FOUR));
  ens_conv_add_constant (&dispatch, DEPTHWISE_PIXELS);
  cover_depthwise (recording, &dispatch);
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* From texel buffers: on software devices. */

static gboolean
is_long (const EnsConvPush *push)
{
  gsize taps = (gsize)push->kernel_height * push->kernel_width;

  return taps * (ens_conv_divide_up (push->channels, ENS_CONV_FOUR) + 1) > ENS_GPU_MAX_ITERATIONS;
}

/* Makes the channels of each group begin at a multiple of four, by a copy if they don't. */
static void
widen (EnsConvRecording *recording, EnsBinding *x, guint groups)
{
  const EnsConvShape *shape = &recording->conv->shape;
  guint channels = shape->channels / groups,
        vec4s = (guint)ens_conv_divide_up (channels, ENS_CONV_FOUR);
  gsize pixels = (gsize)shape->batch * shape->height * shape->width;
  EnsWidenPush push = {.pixels = (guint)pixels,
                       .groups = groups,
                       .channels = channels,
                       .vec4s = vec4s,
                       .x_pitch = recording->push.x_pitch};
  EnsDispatch dispatch = {.shader = "pad-channels",
                          .storage = x->view->type,
                          .bindings = {{x->view, ENS_ACCESS_READ}},
                          .n_bindings = 2,
                          .push = &push,
                          .push_size = sizeof push};

  *x = (EnsBinding) {x->view, ENS_ACCESS_TEXELS};
  if (channels % ENS_CONV_FOUR == 0 && ens_commands_by_four (recording->commands, x->view))
    return;
  x->view = ens_commands_scratch (recording->commands, pixels * groups * vec4s * ENS_CONV_FOUR
                                                           * ens_type_size (dispatch.storage));
  dispatch.bindings[1] = (EnsBinding) {x->view, ENS_ACCESS_WRITE};
  ens_commands_cover (recording->commands, &dispatch, pixels * groups * vec4s, 64);
  ens_commands_dispatch (recording->commands, &dispatch);
  recording->push.x_pitch = groups * vec4s * ENS_CONV_FOUR;
}

/* Filters of an invocation, as a number of vec4: two, unless that leaves much more of the last
 * panel empty. */
static guint
choose_vec4s (guint filters, guint four_columns)
{
  gsize one = ens_conv_round_up (filters, four_columns),
        two = ens_conv_round_up (filters, 2 * four_columns);

  return two * 8 <= one * 9 ? 2 : 1;
}

/* Pixels of a subgroup: eight, or as many as there are. */
static guint
choose_pixels (gsize pixels)
{
  return pixels >= 5 ? 8 : pixels >= 3 ? 4 : (guint)pixels;
}

static gboolean
comes_in_fours (const EnsConvRecording *recording)
{
  const EnsGpuConv *conv = recording->conv;
  const EnsView *views[] = {conv->y, conv->bias, conv->residual};

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    if (views[i] != NULL && !ens_commands_by_four (recording->commands, views[i]))
      return FALSE;
  return recording->push.filters % ENS_CONV_FOUR == 0;
}

/* Where the filters are no multiple of four, sums go to memory where they do, and are finished by
 * another dispatch. */
static const EnsView *
add_sums (EnsConvRecording *recording, EnsDispatch *dispatch)
{
  EnsConvPush *push = &recording->push;
  gsize n;

  push->filters = (guint)ens_conv_round_up (push->filters, ENS_CONV_FOUR);
  push->y_pitch = recording->packing.groups * push->filters;
  n = ens_conv_count_pixels (recording) * push->y_pitch;
  dispatch->constants[0] = ENS_ACTIVATION_NONE;
  dispatch->constants[1] = 0;
  dispatch->bindings[4].view = ens_commands_scratch (
      recording->commands,
      ens_conv_round_up (n * ens_type_size (dispatch->storage), sizeof (guint32)));
  return dispatch->bindings[4].view;
}

static void
finish_sums (EnsConvRecording *recording, const EnsView *sums)
{
  EnsConvPush push = recording->push;
  EnsDispatch dispatch = ens_conv_begin (recording, "conv-finish", recording->packing.panel);

  push.weights_pitch = push.filters;
  push.x_pitch = push.y_pitch;
  push.filters = recording->packing.filters;
  push.y_pitch = recording->conv->y_pitch;
  dispatch.bindings[0].view = sums;
  dispatch.bindings[1].view = sums;
  dispatch.push = &push;
  ens_commands_cover (recording->commands, &dispatch,
                      ens_conv_count_pixels (recording) * push.x_pitch / ENS_CONV_FOUR, 64);
  ens_commands_dispatch (recording->commands, &dispatch);
}

/* Dispatches what computes sums as vec4. */
static void
dispatch_fours (EnsConvRecording *recording, EnsDispatch *dispatch)
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
record_depthwise_texels (EnsConvRecording *recording)
{
  EnsBinding x = {recording->conv->x, ENS_ACCESS_TEXELS};
  EnsDispatch dispatch;

  join_groups (recording);
  widen (recording, &x, 1);
  recording->push.channels = (guint)ens_conv_round_up (recording->push.channels, ENS_CONV_FOUR);
  dispatch = ens_conv_begin (recording, "conv-depthwise-texels", recording->push.channels);
  dispatch.bindings[0] = x;
  dispatch.bindings[1].access = ENS_ACCESS_TEXELS;
  ens_conv_add_constant (&dispatch, DEPTHWISE_PIXELS);
  ens_conv_add_constant (&dispatch, recording->push.kernel_width);
  ens_conv_add_constant (&dispatch, recording->push.stride_x);
  cover_depthwise (recording, &dispatch);
  dispatch_fours (recording, &dispatch);
}

static void
record_texels (EnsConvRecording *recording)
{
  enum { GROUP_SIZE = 64 };
  guint subgroup = recording->traits->subgroup_size, four_columns = ENS_CONV_FOUR * subgroup;
  guint vec4s = choose_vec4s (recording->push.filters, four_columns);
  guint pixels = choose_pixels (ens_conv_count_pixels (recording));
  EnsBinding x = {recording->conv->x, ENS_ACCESS_TEXELS};
  EnsDispatch dispatch;

  widen (recording, &x, recording->conv->shape.groups);
  recording->packing.rows = recording->push.channels =
      (guint)ens_conv_round_up (recording->push.channels, ENS_CONV_FOUR);
  dispatch = ens_conv_begin (recording, "conv-texels", vec4s * four_columns);
  dispatch.bindings[0] = x;
  dispatch.bindings[1].access = ENS_ACCESS_TEXELS;
  ens_conv_add_constant (&dispatch, pixels);
  ens_conv_add_constant (&dispatch, vec4s);
  ens_conv_add_constant (&dispatch, subgroup);
  dispatch.full_subgroups = TRUE;
  ens_commands_cover (recording->commands, &dispatch,
                      ens_conv_divide_up (ens_conv_count_pixels (recording), pixels)
                          * ens_conv_count_panels (&recording->packing),
                      GROUP_SIZE / subgroup);
  dispatch.groups[2] = recording->conv->shape.groups;
  dispatch_fours (recording, &dispatch);
}

/* From storage buffers. */

/* Few pixels: the inner dimension is shared out. */
#define MAX_ROWS 8

static void
record_rows (EnsConvRecording *recording)
{
  enum { COLUMNS = 32 }; /* of a workgroup */
  guint rows = 1;
  EnsDispatch dispatch = ens_conv_begin (
      recording, "conv-rows", (guint)ens_conv_round_up (recording->push.filters, ENS_CONV_FOUR));

  while (rows < recording->push.batch)
    rows *= 2;
  ens_conv_add_constant (&dispatch, rows);
  dispatch.groups[0] = (guint)ens_conv_divide_up (recording->push.filters, COLUMNS);
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
      && shape->groups == 1 && conv->x_pitch == shape->channels
      && conv->order == ENS_GPU_WEIGHTS_PLAIN) {
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

gboolean
ens_conv_is_matmul (const EnsConvShape *shape)
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
  EnsConvRecording recording = {
      .conv = &simple, .commands = commands, .traits = ens_commands_get_traits (commands)};

  simplify (&simple);
  recording.push = get_push (&simple);
  recording.packing = ens_conv_packing (&simple, ENS_CONV_FOUR);
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
  if (!ens_conv_is_matmul (&simple.shape) || simple.shape.batch > MAX_ROWS)
    return ens_conv_record_tiles (&recording);
  record_rows (&recording);
  return TRUE;
}
