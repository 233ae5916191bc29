/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include "engine/device-private.h"
#include "graph/infer.h"
#include "passes/rewrite.h"

/* ---- Memory ---- */

static guint64
get_physical_memory (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES), page = sysconf (_SC_PAGESIZE);

  return n_pages > 0 && page > 0 ? (guint64)n_pages * (guint64)page : G_MAXUINT64;
}

/* Of the container, as both versions of Linux' control groups say it; "max" is no number. */
static guint64
get_group_memory (void)
{
  static const char *const paths[] = {"/sys/fs/cgroup/memory.max",
                                      "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  guint64 memory = G_MAXUINT64;

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *text = NULL;
    guint64 found;

    if (g_file_get_contents (paths[i], &text, NULL, NULL)
        && g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXUINT64, &found, NULL))
      memory = MIN (memory, found);
  }
  return memory;
}

static guint64
get_process_memory (void)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
             ? (guint64)limit.rlim_cur
             : G_MAXUINT64;
}

/* 0: the variable is not set, or no number. */
static guint64
read_variable (const char *name)
{
  const char *text = g_getenv (name);
  guint64 value;

  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &value, NULL) ? value
                                                                                             : 0;
}

/* 0: nobody has set one. */
static guint64
get_set_memory (const EnsLimits *limits)
{
  return limits->memory > 0 ? limits->memory : read_variable ("ENSEMBLE_MAX_MEMORY");
}

gsize
ens_limits_get_memory (const EnsLimits *limits)
{
  guint64 memory = get_set_memory (limits);

  if (memory == 0)
    memory = MIN (get_physical_memory (), MIN (get_group_memory (), get_process_memory ()));
  return (gsize)MIN (memory, G_MAXSIZE);
}

guint64
ens_limits_get_operations (const EnsLimits *limits)
{
  guint64 operations =
      limits->operations > 0 ? limits->operations : read_variable ("ENSEMBLE_MAX_OPERATIONS");

  return operations > 0 ? operations : ENS_DEFAULT_MAX_OPERATIONS;
}

/* A plan on the CPU is what describes it, hundreds of which are cheaper than making one again; on a
 * GPU it has memory of its own for all values. */
#define CPU_PLANS ((guint64)64 << 20)
#define GPU_PLANS ((guint64)1 << 30)

gsize
ens_limits_get_plans (EnsDevice *device)
{
  guint64 size = read_variable ("ENSEMBLE_PLAN_MEMORY");

  if (size == 0)
    size = ens_device_is_gpu (device) ? GPU_PLANS : CPU_PLANS;
  return (gsize)MIN (size, G_MAXSIZE);
}

static gsize
sum_sizes (const GPtrArray *values)
{
  gsize size = 0;

  for (guint i = 0; i < values->len; i++)
    size += ens_value_size (g_ptr_array_index (values, i));
  return size;
}

/* The largest value that a node computes while it runs, or NULL. */
static const EnsValue *
find_largest (const EnsGraph *inferred)
{
  const EnsValue *largest = NULL;

  for (guint i = 0; i < inferred->values->len; i++) {
    const EnsValue *value = ens_graph_value (inferred, i);

    if (value->producer != NULL && value->constant == NULL
        && (largest == NULL || ens_value_size (value) > ens_value_size (largest)))
      largest = value;
  }
  return largest;
}

/* "1x224x224x3", of the first input. (transfer full) */
static char *
describe_input (const EnsGraph *inferred)
{
  return inferred->inputs->len > 0
             ? ens_shape_to_string (&((const EnsValue *)inferred->inputs->pdata[0])->shape)
             : g_strdup ("no input");
}

/* "node “big” (Resize) gives 1x6400x6400x3, 491 MB". (transfer full) */
static char *
describe_largest (const EnsGraph *inferred)
{
  const EnsValue *largest = find_largest (inferred);
  g_autofree char *shape = NULL, *size = NULL;

  if (largest == NULL)
    return g_strdup ("its inputs and outputs alone");
  shape = ens_shape_to_string (&largest->shape);
  size = g_format_size (ens_value_size (largest));
  return g_strdup_printf ("node “%s” (%s) gives %s, %s", largest->producer->name,
                          largest->producer->op->name, shape, size);
}

gboolean
ens_limits_check_memory (const EnsLimits *limits, const EnsGraph *inferred, gsize size,
                         GError **error)
{
  gsize limit = ens_limits_get_memory (limits);
  gsize arrays = sum_sizes (inferred->inputs) + sum_sizes (inferred->outputs);
  gboolean was_set = get_set_memory (limits) > 0;
  g_autofree char *shape = NULL, *found = NULL, *expected = NULL, *largest = NULL;

  if (size <= limit && arrays <= limit - size)
    return TRUE;
  shape = describe_input (inferred);
  found = g_format_size (size > G_MAXSIZE - arrays ? G_MAXSIZE : size + arrays);
  expected = g_format_size (limit);
  largest = describe_largest (inferred);
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "running %s on %s would take %s of memory, and %s has %s: %s; take smaller images, "
               "fewer at a time or fewer scales%s",
               inferred->name, shape, found, was_set ? "max-memory" : "this machine", expected,
               largest, was_set ? ", or raise max-memory" : "");
  return FALSE;
}

/* ---- Operations ---- */

static double
count_node (const EnsNode *node)
{
  gboolean is_known = TRUE;

  for (guint i = 0; i < node->n_outputs; i++)
    is_known = is_known && node->outputs[i]->constant != NULL;
  return is_known || node->op->kind == ENS_KIND_VIEW ? 0 : ens_node_count_steps (node);
}

/* most: the node that takes most of them; NULL: not asked for. */
static double
count_operations (const EnsGraph *inferred, const EnsNode **most)
{
  double sum = 0, largest = -1;

  for (guint i = 0; i < inferred->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (inferred, i);
    double n = count_node (node);

    sum += n;
    if (most != NULL && n > largest)
      *most = node;
    largest = MAX (largest, n);
  }
  return sum;
}

double
ens_graph_count_operations (const EnsGraph *inferred)
{
  return count_operations (inferred, NULL);
}

char *
ens_format_operations (double operations)
{
  static const char *const units[] = {"", " k", " M", " G", " T", " P", " E"};
  guint unit = 0;

  for (; operations >= 999.5 && unit + 1 < G_N_ELEMENTS (units); unit++)
    operations /= 1000;
  return g_strdup_printf ("%.3g%s", operations, units[unit]);
}

static gboolean
check_operations (const EnsLimits *limits, const EnsGraph *inferred, GError **error)
{
  const EnsNode *most = NULL;
  const EnsValue *input = inferred->inputs->len > 0 ? inferred->inputs->pdata[0] : NULL;
  double n_images = input != NULL && input->shape.rank > 0 ? (double)input->shape.dims[0] : 1;
  double n = count_operations (inferred, &most) / MAX (n_images, 1);
  double limit = (double)ens_limits_get_operations (limits);
  g_autofree char *shape = NULL, *found = NULL, *expected = NULL;

  if (n <= limit)
    return TRUE;
  shape = describe_input (inferred);
  found = ens_format_operations (n);
  expected = ens_format_operations (limit);
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "running %s on %s would take %s operations for each image, most of them node “%s” "
               "(%s), and max-operations allows %s; take smaller images or fewer scales, or raise "
               "max-operations",
               inferred->name, shape, found, most->name, most->op->name, expected);
  return FALSE;
}

gboolean
ens_limits_check_graph (const EnsLimits *limits, const EnsGraph *inferred, GError **error)
{
  const EnsValue *largest = find_largest (inferred);

  return ens_limits_check_memory (limits, inferred, largest != NULL ? ens_value_size (largest) : 0,
                                  error)
         && check_operations (limits, inferred, error);
}
