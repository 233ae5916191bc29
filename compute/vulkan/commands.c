#include "vulkan/recording.h"

#include <string.h>

/* A view that recording made: packed weights or a table. */
typedef struct {
  EnsVulkanView view;
  EnsVulkanRegion region; /* of tables */
} MadeView;

struct _EnsCommands {
  EnsVulkanDevice *device;
  EnsVulkanWeights *weights;
  const EnsVulkanBuffer *tables_buffer;
  EnsGpuTraits traits;
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

EnsCommands *
ens_commands_new (EnsVulkanDevice *device, EnsVulkanWeights *weights, const EnsVulkanBuffer *tables)
{
  EnsCommands *commands = g_new0 (EnsCommands, 1);

  commands->device = ens_vulkan_device_ref (device);
  commands->weights = ens_vulkan_weights_ref (weights);
  commands->tables_buffer = tables;
  commands->traits = device->physical.traits;
  commands->dispatches = g_array_new (FALSE, TRUE, sizeof (EnsVulkanDispatch));
  commands->scratch = g_ptr_array_new_with_free_func (g_free);
  commands->views = g_ptr_array_new_with_free_func (g_free);
  commands->tables = g_byte_array_new ();
  return commands;
}

void
ens_commands_free (EnsCommands *commands)
{
  g_array_unref (commands->dispatches);
  g_ptr_array_unref (commands->scratch);
  g_ptr_array_unref (commands->views);
  g_byte_array_unref (commands->tables);
  ens_vulkan_weights_unref (commands->weights);
  ens_vulkan_device_unref (commands->device);
  g_free (commands);
}

const GArray *
ens_commands_get_dispatches (const EnsCommands *commands)
{
  return commands->dispatches;
}

const GPtrArray *
ens_commands_get_scratch (const EnsCommands *commands)
{
  return commands->scratch;
}

const GByteArray *
ens_commands_get_tables (const EnsCommands *commands)
{
  return commands->tables;
}

gsize
ens_commands_get_scratch_size (const EnsCommands *commands)
{
  return commands->scratch_size;
}

/* The operators' side */

const EnsGpuTraits *
ens_commands_get_traits (const EnsCommands *commands)
{
  return &commands->traits;
}

void
ens_commands_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n, guint32 size)
{
  gsize groups = (n + size - 1) / size;
  gsize most = commands->traits.max_groups[0];
  gsize rows = (groups + most - 1) / most;

  dispatch->groups[0] = (guint32)(rows > 0 ? (groups + rows - 1) / rows : 0);
  dispatch->groups[1] = (guint32)MIN (rows, G_MAXUINT32);
  dispatch->groups[2] = 1;
}

gboolean
ens_commands_in_place (const EnsCommands *commands, const EnsView *whole, gsize element,
                       const EnsView *part)
{
  const EnsPlace *a = ((const EnsVulkanView *)whole)->place;
  const EnsPlace *b = ((const EnsVulkanView *)part)->place;
  guint rank = part->shape.rank;

  return a != NULL && b != NULL && a->kind == b->kind && a->index == b->index
         && b->offset == a->offset + element * ens_type_size (whole->type)
         && (b->pitch == a->pitch || rank == 0 || ens_shape_span (&part->shape, 0, rank - 1) == 1);
}

/* Constants come to the device when the first dispatch reads them. */
static void
bring (EnsCommands *commands, EnsVulkanView *view)
{
  if (view->region == NULL)
    view->region = ens_vulkan_weights_get_plain (commands->weights, view->constant);
}

gboolean
ens_commands_aligned (const EnsCommands *commands, const EnsView *view, guint n)
{
  const EnsVulkanView *placed = (const EnsVulkanView *)view;

  /* A constant that is not on the device yet will begin an allocation. */
  return view->pitch % n == 0
         && (placed->region == NULL
             || placed->region->offset % (n * ens_type_size (view->type)) == 0);
}

gboolean
ens_commands_by_four (const EnsCommands *commands, const EnsView *view)
{
  return ens_commands_aligned (commands, view, 4);
}

/* Whether four elements at a time can be read from where the view begins. */
static gboolean
takes_texels (const EnsCommands *commands, const EnsVulkanView *view, EnsType storage)
{
  gsize texel = 4 * ens_type_size (storage);

  return view->region->offset % texel == 0
         && view->region->size / texel < commands->traits.max_texel_elements;
}

static void
refuse_size (EnsCommands *commands, const char *reason)
{
  commands->refusal = reason;
  commands->too_large = TRUE;
}

static void
check_binding (EnsCommands *commands, const EnsVulkanView *view, EnsAccess access, EnsType storage)
{
  if (view->view.type == ENS_TYPE_FLOAT16 && !commands->device->physical.storage16)
    commands->refusal = "the device has no 16-bit storage";
  if (view->view.type == ENS_TYPE_BOOL && access == ENS_ACCESS_WRITE
      && !commands->device->physical.storage8)
    commands->refusal = "the device has no 8-bit storage";
  if (access == ENS_ACCESS_TEXELS) {
    if (takes_texels (commands, view, storage))
      return;
    commands->texels_refused = TRUE;
    commands->refusal = "an operand can't be read through texels";
  } else if (view->region->size > commands->device->physical.max_storage_range)
    refuse_size (commands, "an operand is larger than the device can bind");
  else if (view->region->size == 0)
    commands->refusal = "an operand is empty";
}

static void
check_groups (EnsCommands *commands, const guint32 *groups)
{
  for (guint i = 0; i < 3; i++)
    if (groups[i] > commands->traits.max_groups[i])
      refuse_size (commands, "it takes more workgroups than the device has");
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

gboolean
ens_commands_can_run (EnsCommands *commands, const EnsDispatch *dispatch)
{
  EnsVulkanPipelineKey key = make_key (dispatch);

  return ens_vulkan_pipelines_try (commands->device, &key);
}

void
ens_commands_dispatch (EnsCommands *commands, const EnsDispatch *dispatch)
{
  EnsVulkanDispatch recorded = {.key = make_key (dispatch)};

  g_return_if_fail (recorded.key.shader != NULL);
  g_return_if_fail (dispatch->n_bindings <= ENS_MAX_BINDINGS);
  g_return_if_fail (dispatch->n_constants <= ENS_MAX_CONSTANTS);
  g_return_if_fail (dispatch->push_size >= dispatch->n_bindings * sizeof (guint32));
  g_return_if_fail (dispatch->push_size <= sizeof recorded.push);

  memcpy (recorded.push, dispatch->push, dispatch->push_size);
  memcpy (recorded.groups, dispatch->groups, sizeof recorded.groups);
  check_groups (commands, dispatch->groups);
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    EnsVulkanView *view = (EnsVulkanView *)dispatch->bindings[i].view;

    bring (commands, view);
    check_binding (commands, view, dispatch->bindings[i].access, dispatch->storage);
    recorded.views[i] = view;
    recorded.accesses[i] = dispatch->bindings[i].access;
  }
  if (dispatch->groups[0] > 0 && dispatch->groups[1] > 0 && dispatch->groups[2] > 0)
    g_array_append_val (commands->dispatches, recorded);
}

const EnsView *
ens_commands_scratch (EnsCommands *commands, gsize size)
{
  EnsVulkanScratch *scratch = g_new0 (EnsVulkanScratch, 1);

  scratch->view.view = ens_view_dense (ENS_TYPE_INT32, &ENS_SHAPE ((gint64)size / 4), NULL);
  scratch->view.region = &scratch->region;
  scratch->region = (EnsVulkanRegion) {.offset = commands->scratch_size, .size = size};
  scratch->node = commands->node;
  commands->scratch_size += round_up (size);
  g_ptr_array_add (commands->scratch, scratch);
  return &scratch->view.view;
}

static MadeView *
make_view (EnsCommands *commands, gsize size)
{
  MadeView *made = g_new0 (MadeView, 1);

  made->view.view = ens_view_dense (ENS_TYPE_INT32, &ENS_SHAPE ((gint64)size / 4), NULL);
  g_ptr_array_add (commands->views, made);
  return made;
}

const EnsView *
ens_commands_table (EnsCommands *commands, gconstpointer data, gsize size)
{
  MadeView *made = make_view (commands, size);
  gsize offset = commands->tables->len, end = round_up (offset + size);

  g_byte_array_append (commands->tables, data, (guint)size);
  g_byte_array_set_size (commands->tables, (guint)end);
  made->region = (EnsVulkanRegion) {commands->tables_buffer, offset, size};
  made->view.region = &made->region;
  return &made->view.view;
}

const EnsView *
ens_commands_pack (EnsCommands *commands, EnsTensor *constant, const char *kind, gsize size,
                   EnsPackFunc pack, gpointer state)
{
  MadeView *made = make_view (commands, size);

  made->view.region = ens_vulkan_weights_get (commands->weights, constant, kind, size, pack, state);
  return &made->view.view;
}

/* The executor's side */

static gboolean
record (EnsCommands *commands, const EnsOperands *operands, gboolean texels)
{
  guint n_dispatches = commands->dispatches->len, n_scratch = commands->scratch->len;

  commands->scratch_size = 0;
  commands->refusal = NULL;
  commands->too_large = commands->texels_refused = FALSE;
  commands->traits.prefers_texels = texels;
  if (!operands->node->op->gpu (operands, commands))
    commands->refusal = "no shader takes its operands";
  if (commands->refusal == NULL)
    return TRUE;
  g_array_set_size (commands->dispatches, n_dispatches);
  g_ptr_array_set_size (commands->scratch, (int)n_scratch);
  commands->scratch_size = 0;
  return FALSE;
}

gboolean
ens_commands_is_too_large (const EnsCommands *commands)
{
  return commands->too_large;
}

gboolean
ens_commands_record (EnsCommands *commands, const EnsOperands *operands, guint position,
                     const char **reason)
{
  gboolean texels = commands->device->physical.traits.prefers_texels;
  gboolean done;

  *reason = "its operator has no shader";
  commands->too_large = FALSE;
  if (operands->node->op->gpu == NULL)
    return FALSE;
  commands->node = position;
  done = record (commands, operands, texels)
         || (commands->texels_refused && texels && record (commands, operands, FALSE));
  *reason = commands->refusal;
  return done;
}
