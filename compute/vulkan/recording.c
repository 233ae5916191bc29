/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/recording.h"

#include <string.h>

/* A view that recording made: packed weights or a table. */
typedef struct {
  EnsVulkanView view;
  EnsVulkanRegion region; /* of tables */
} MadeView;

struct _EnsVulkanRecording {
  EnsCommands parent;
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  const EnsVulkanBuffer *tables_buffer;
  GArray *dispatches; /* EnsVulkanDispatch */
  GPtrArray *scratch; /* EnsVulkanScratch */
  GPtrArray *views;   /* MadeView */
  GByteArray *tables;
  /* The node being recorded. */
  guint node;
  gsize scratch_size;
  const char *refusal; /* why the device can't run what was recorded, or NULL */
  gboolean too_large;  /* that is its size */
  gboolean texels_refused;
};

static gsize
round_up (gsize size)
{
  return (size + ENS_VULKAN_ALIGNMENT - 1) / ENS_VULKAN_ALIGNMENT * ENS_VULKAN_ALIGNMENT;
}

/* The operators' side */

static gboolean
in_place (const EnsCommands *commands, const EnsView *whole, gsize element, const EnsView *part)
{
  const EnsPlace *a = ((const EnsVulkanView *)whole)->place;
  const EnsPlace *b = ((const EnsVulkanView *)part)->place;
  guint rank = part->shape.rank;

  return a != NULL && b != NULL && a->kind == b->kind && a->index == b->index
         && b->offset == a->offset + element * ens_type_size (whole->type)
         && (b->pitch == a->pitch || rank == 0 || ens_shape_span (&part->shape, 0, rank - 1) == 1);
}

/* Constants are uploaded if a dispatch reads them. */
static void
place_constant (EnsVulkanRecording *recording, EnsVulkanView *view)
{
  if (view->region == NULL)
    view->region = ens_vulkan_weights_get_plain (recording->weights, view->constant);
}

static gboolean
aligned (const EnsCommands *commands, const EnsView *view, guint n)
{
  const EnsVulkanView *placed = (const EnsVulkanView *)view;

  /* A constant that is not on the device yet will begin an allocation. */
  return view->pitch % n == 0
         && (placed->region == NULL
             || placed->region->offset % (n * ens_type_size (view->type)) == 0);
}

/* Whether four elements at a time can be read from where the view begins. */
static gboolean
takes_texels (const EnsVulkanRecording *recording, const EnsVulkanView *view, EnsType storage)
{
  gsize texel = 4 * ens_type_size (storage);

  return view->region->offset % texel == 0
         && view->region->size / texel < recording->parent.traits.max_texel_elements;
}

static void
refuse_size (EnsVulkanRecording *recording, const char *reason)
{
  recording->refusal = reason;
  recording->too_large = TRUE;
}

static void
check_binding (EnsVulkanRecording *recording, const EnsVulkanView *view, EnsAccess access,
               EnsType storage)
{
  if (view->view.type == ENS_TYPE_FLOAT16 && !recording->device->physical.storage16)
    recording->refusal = "the device has no float16 storage";
  if (view->view.type == ENS_TYPE_BOOL && access == ENS_ACCESS_WRITE
      && !recording->device->physical.storage8)
    recording->refusal = "the device has no 8-bit storage";
  if (access == ENS_ACCESS_TEXELS) {
    if (takes_texels (recording, view, storage))
      return;
    recording->texels_refused = TRUE;
    recording->refusal = "an operand can't be read through texels";
  } else if (view->region->size > recording->device->physical.max_storage_range)
    refuse_size (recording, "an operand is larger than the device can bind");
  else if (view->region->size == 0)
    recording->refusal = "an operand is empty";
}

static void
check_groups (EnsVulkanRecording *recording, const guint32 *groups)
{
  for (guint i = 0; i < 3; i++)
    if (groups[i] > recording->parent.traits.max_groups[i])
      refuse_size (recording, "it takes more workgroups than the device has");
}

static EnsVulkanPipelineKey
make_key (const EnsDispatch *dispatch)
{
  EnsVulkanPipelineKey key = {.shader = ens_shader_find (dispatch->shader, dispatch->storage),
                              .n_constants = dispatch->n_constants,
                              .n_bindings = dispatch->n_bindings,
                              .push_size = (guint32)dispatch->push_size,
                              .full_subgroups = dispatch->full_subgroups};

  memcpy (key.constants, dispatch->constants, dispatch->n_constants * sizeof *dispatch->constants);
  for (guint i = 0; i < dispatch->n_bindings; i++)
    if (dispatch->bindings[i].access == ENS_ACCESS_TEXELS)
      key.texels |= 1u << i;
  return key;
}

static gboolean
can_run (EnsCommands *commands, const EnsDispatch *dispatch)
{
  const EnsVulkanRecording *recording = (const EnsVulkanRecording *)commands;
  EnsVulkanPipelineKey key = make_key (dispatch);

  return ens_vulkan_pipelines_try (recording->device, &key);
}

static void
add_dispatch (EnsCommands *commands, const EnsDispatch *dispatch)
{
  EnsVulkanRecording *recording = (EnsVulkanRecording *)commands;
  EnsVulkanDispatch recorded = {.key = make_key (dispatch)};

  g_return_if_fail (recorded.key.shader != NULL);
  g_return_if_fail (dispatch->n_bindings <= ENS_MAX_BINDINGS);
  g_return_if_fail (dispatch->n_constants <= ENS_MAX_CONSTANTS);
  g_return_if_fail (dispatch->push_size >= dispatch->n_bindings * sizeof (guint32));
  g_return_if_fail (dispatch->push_size <= sizeof recorded.push);

  memcpy (recorded.push, dispatch->push, dispatch->push_size);
  memcpy (recorded.groups, dispatch->groups, sizeof recorded.groups);
  check_groups (recording, dispatch->groups);
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    EnsVulkanView *view = (EnsVulkanView *)dispatch->bindings[i].view;

    place_constant (recording, view);
    check_binding (recording, view, dispatch->bindings[i].access, dispatch->storage);
    recorded.views[i] = view;
    recorded.accesses[i] = dispatch->bindings[i].access;
  }
  if (dispatch->groups[0] > 0 && dispatch->groups[1] > 0 && dispatch->groups[2] > 0)
    g_array_append_val (recording->dispatches, recorded);
}

static const EnsView *
add_scratch (EnsCommands *commands, gsize size)
{
  EnsVulkanRecording *recording = (EnsVulkanRecording *)commands;
  EnsVulkanScratch *scratch = g_new0 (EnsVulkanScratch, 1);

  scratch->view.view = ens_view_dense (ENS_TYPE_INT32, &ENS_SHAPE ((gint64)size / 4), NULL);
  scratch->view.region = &scratch->region;
  scratch->region = (EnsVulkanRegion) {.offset = recording->scratch_size, .size = size};
  scratch->node = recording->node;
  recording->scratch_size += round_up (size);
  g_ptr_array_add (recording->scratch, scratch);
  return &scratch->view.view;
}

static MadeView *
make_view (EnsVulkanRecording *recording, gsize size)
{
  MadeView *made = g_new0 (MadeView, 1);

  made->view.view = ens_view_dense (ENS_TYPE_INT32, &ENS_SHAPE ((gint64)size / 4), NULL);
  g_ptr_array_add (recording->views, made);
  return made;
}

static const EnsView *
add_table (EnsCommands *commands, gconstpointer data, gsize size)
{
  EnsVulkanRecording *recording = (EnsVulkanRecording *)commands;
  MadeView *made = make_view (recording, size);
  gsize offset = recording->tables->len, end = round_up (offset + size);

  g_byte_array_append (recording->tables, data, (guint)size);
  g_byte_array_set_size (recording->tables, (guint)end);
  made->region = (EnsVulkanRegion) {recording->tables_buffer, offset, size};
  made->view.region = &made->region;
  return &made->view.view;
}

static const EnsView *
add_packed (EnsCommands *commands, EnsTensor *constant, const char *kind, gsize size,
            EnsPackFunc pack, gpointer state)
{
  EnsVulkanRecording *recording = (EnsVulkanRecording *)commands;
  MadeView *made = make_view (recording, size);

  made->view.region =
      ens_vulkan_weights_get (recording->weights, constant, kind, size, pack, state);
  return &made->view.view;
}

static const EnsCommandsClass recording_class = {
    .dispatch = add_dispatch,
    .can_run = can_run,
    .in_place = in_place,
    .aligned = aligned,
    .scratch = add_scratch,
    .table = add_table,
    .pack = add_packed,
};

/* The executor's side */

EnsVulkanRecording *
ens_vulkan_recording_new (EnsVulkanDevice *device, EnsVulkanWeights *weights,
                          const EnsVulkanBuffer *tables)
{
  EnsVulkanRecording *recording = g_new0 (EnsVulkanRecording, 1);

  recording->parent.class = &recording_class;
  recording->device = ens_vulkan_device_ref (device);
  recording->weights = ens_vulkan_weights_ref (weights);
  recording->tables_buffer = tables;
  recording->parent.traits = device->physical.traits;
  recording->dispatches = g_array_new (FALSE, TRUE, sizeof (EnsVulkanDispatch));
  recording->scratch = g_ptr_array_new_with_free_func (g_free);
  recording->views = g_ptr_array_new_with_free_func (g_free);
  recording->tables = g_byte_array_new ();
  return recording;
}

void
ens_vulkan_recording_free (EnsVulkanRecording *recording)
{
  g_array_unref (recording->dispatches);
  g_ptr_array_unref (recording->scratch);
  g_ptr_array_unref (recording->views);
  g_byte_array_unref (recording->tables);
  ens_vulkan_weights_unref (recording->weights);
  ens_vulkan_device_unref (recording->device);
  g_free (recording);
}

const GArray *
ens_vulkan_recording_get_dispatches (const EnsVulkanRecording *recording)
{
  return recording->dispatches;
}

const GPtrArray *
ens_vulkan_recording_get_scratch (const EnsVulkanRecording *recording)
{
  return recording->scratch;
}

const GByteArray *
ens_vulkan_recording_get_tables (const EnsVulkanRecording *recording)
{
  return recording->tables;
}

gsize
ens_vulkan_recording_get_scratch_size (const EnsVulkanRecording *recording)
{
  return recording->scratch_size;
}

static gboolean
record (EnsVulkanRecording *recording, const EnsOperands *operands, gboolean texels)
{
  guint n_dispatches = recording->dispatches->len, n_scratch = recording->scratch->len;

  recording->scratch_size = 0;
  recording->refusal = NULL;
  recording->too_large = recording->texels_refused = FALSE;
  recording->parent.traits.prefers_texels = texels;
  if (!operands->node->op->gpu (operands, &recording->parent))
    recording->refusal = "no shader takes its operands";
  if (recording->refusal == NULL)
    return TRUE;
  g_array_set_size (recording->dispatches, n_dispatches);
  g_ptr_array_set_size (recording->scratch, (int)n_scratch);
  recording->scratch_size = 0;
  return FALSE;
}

gboolean
ens_vulkan_recording_is_too_large (const EnsVulkanRecording *recording)
{
  return recording->too_large;
}

gboolean
ens_vulkan_recording_add (EnsVulkanRecording *recording, const EnsOperands *operands,
                          guint position, const char **reason)
{
  gboolean texels = recording->device->physical.traits.prefers_texels;
  gboolean done;

  *reason = "its operator has no shader";
  recording->too_large = FALSE;
  if (operands->node->op->gpu == NULL)
    return FALSE;
  recording->node = position;
  done = record (recording, operands, texels)
         || (recording->texels_refused && texels && record (recording, operands, FALSE));
  *reason = recording->refusal;
  return done;
}
