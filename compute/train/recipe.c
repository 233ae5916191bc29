/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/recipe.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/files.h"
#include "base/fail.h"
#include "onnx/onnx.h"

/* A class of fewer pictures makes a note. */
#define FEW_PICTURES 20

/* Batches that are loaded ahead. */
#define N_AHEAD 2

gboolean
ens_recipe_check (const EnsRecipeParams *params, GError **error)
{
  if (params->batch > 0 && params->loop.n_epochs > 0 && params->loop.rate > 0)
    return ens_file_check_write (params->output, error);
  return ens_fail (error, ENS_ERROR_DATA, params->output,
                   "batch, epochs and learning rate must be larger than 0; found %u, %u and %g",
                   params->batch, params->loop.n_epochs, params->loop.rate);
}

/* -- data -- */

static guint
count_positive (const GPtrArray *images, guint class)
{
  guint n = 0;

  for (guint i = 0; i < images->len; i++)
    n += ((const EnsDatasetItem *)images->pdata[i])->labels[class] == ENS_LABEL_PRESENT;
  return n;
}

static void
note_few_pictures (const EnsDataset *dataset, const EnsMonitor *monitor)
{
  g_autoptr (GString) few = g_string_new (NULL);

  for (guint c = 0; c < dataset->n_classes; c++) {
    guint n = count_positive (dataset->samples[ENS_SPLIT_TRAIN], c);

    if (n < FEW_PICTURES)
      g_string_append_printf (few, "%s%s %u", few->len > 0 ? ", " : "", dataset->classes[c], n);
  }
  if (few->len > 0)
    ens_monitor_note (monitor,
                      "%s: classes with fewer than %u training pictures, which teach little: %s",
                      dataset->folder, FEW_PICTURES, few->str);
}

EnsDataset *
ens_recipe_load_dataset (const EnsRecipeParams *params, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (EnsDataset) dataset = ens_dataset_load (params->dataset, NULL, error);

  if (dataset == NULL
      || (params->one_class != NULL && !ens_dataset_keep_class (dataset, params->one_class, error)))
    return NULL;
  ens_dataset_tell (dataset, monitor);
  note_few_pictures (dataset, monitor);
  if (!ens_dataset_require (dataset, ENS_SPLIT_TRAIN, error)
      || !ens_dataset_require (dataset, ENS_SPLIT_VALIDATION, error))
    return NULL;
  return g_steal_pointer (&dataset);
}

EnsLoader *
ens_recipe_open_loader (const EnsRecipeParams *params, const EnsLoaderSource *source)
{
  guint n_workers = params->n_workers;

  if (n_workers == 0)
    n_workers = (g_get_num_processors () + 1) / 2;
  return ens_loader_new (source, n_workers, N_AHEAD);
}

/* -- training -- */

EnsParameterGroup *
ens_recipe_make_groups (const EnsStep *step)
{
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);
  EnsParameterGroup *groups = g_new0 (EnsParameterGroup, n);

  for (guint i = 0; i < n; i++)
    groups[i] = (EnsParameterGroup) {
        .name = parameters[i].name,
        .size = parameters[i].size,
        .rate_factor = 1,
        .decay_factor = parameters[i].kind == ENS_PARAMETER_WEIGHT ? 1 : 0,
    };
  return groups;
}

/* Its name in the data set's folder, which may have been given in another way. */
static const char *
find_name (const EnsDataset *dataset, const EnsDatasetItem *item)
{
  const char *name = item->path;

  if (!g_str_has_prefix (name, dataset->folder))
    return name;
  name += strlen (dataset->folder);
  while (*name == G_DIR_SEPARATOR)
    name++;
  return name;
}

static void
hash_item (GChecksum *hash, const EnsDataset *dataset, const EnsDatasetItem *item)
{
  const char *name = find_name (dataset, item);

  g_checksum_update (hash, (const guchar *)name, (gssize)strlen (name) + 1);
  g_checksum_update (hash, item->labels, dataset->n_classes);
  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++) {
    const EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, i);
    const guint numbers[] = {box->class, (guint)box->difficult, (guint)box->crowd, box->number};

    g_checksum_update (hash, (const guchar *)numbers, sizeof numbers);
    g_checksum_update (hash, (const guchar *)&box->rect, sizeof box->rect);
  }
}

/* Of the names, labels and boxes of all pictures that a training sees. (transfer full) */
static char *
hash_dataset (const EnsDataset *dataset)
{
  g_autoptr (GChecksum) hash = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint c = 0; c < dataset->n_classes; c++)
    g_checksum_update (hash, (const guchar *)dataset->classes[c],
                       (gssize)strlen (dataset->classes[c]) + 1);
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++)
      hash_item (hash, dataset, dataset->samples[s]->pdata[i]);
  return g_strdup (g_checksum_get_string (hash));
}

static void
describe_dataset (const EnsRecipeParams *params, const EnsDataset *dataset, EnsJson *json)
{
  g_autofree char *hash = NULL;

  if (dataset == NULL) {
    ens_json_string (json, "dataset", params->dataset);
    return;
  }
  hash = hash_dataset (dataset);
  ens_json_string (json, "dataset", hash);
  ens_json_unsigned (json, "images", dataset->samples[ENS_SPLIT_TRAIN]->len);
  ens_json_unsigned (json, "classes", dataset->n_classes);
}

void
ens_recipe_describe (const EnsRecipeParams *params, const EnsDataset *dataset, EnsJson *json)
{
  const EnsLoopParams *loop = &params->loop;

  describe_dataset (params, dataset, json);
  if (params->one_class != NULL)
    ens_json_string (json, "one_class", params->one_class);
  ens_json_unsigned (json, "batch", params->batch);
  ens_json_unsigned (json, "seed", params->seed);
  ens_json_unsigned (json, "optimiser", loop->optimiser.kind);
  ens_json_double (json, "rate", loop->rate);
  ens_json_double (json, "decay", loop->optimiser.decay);
  ens_json_double (json, "average", loop->average);
  ens_json_string (json, "schedule", ens_schedule_names[loop->schedule.kind]);
  ens_json_unsigned (json, "epochs", loop->n_epochs);
}

gboolean
ens_recipe_describe_file (EnsJson *json, const char *name, const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gsize size;
  g_autofree char *contents = ens_file_read (path, &size, &reason);
  g_autofree char *hash = NULL;

  if (contents == NULL)
    return ens_fail (error, ENS_ERROR_FILE, path, "can't read it: %s", reason->message);
  hash = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)contents, size);
  ens_json_string (json, name, hash);
  return TRUE;
}

gboolean
ens_recipe_run (const EnsRecipeParams *params, const EnsLoopTask *task, const char *settings,
                const EnsMonitor *monitor, EnsRecipeResult *result, GError **error)
{
  g_autofree char *checkpoint = ens_recipe_name_checkpoint (params);
  g_autofree char *log = ens_recipe_name_log (params);
  EnsLoopParams loop = params->loop;

  loop.checkpoint = checkpoint;
  loop.log = log;
  loop.settings = settings;
  return ens_loop_run (task, &loop, monitor, &result->loop, error);
}

gboolean
ens_recipe_train (const EnsRecipeParams *params, EnsStep *step, EnsLoopTask *task,
                  const char *settings, const EnsMonitor *monitor, EnsRecipeResult *result,
                  GError **error)
{
  ens_step_get_parameters (step, &task->n_groups);
  task->parameters = ens_step_get_values (step, &result->n_weights);
  task->statistics = ens_step_get_statistic_values (step, &task->n_statistics);
  result->n_parameters = task->n_groups;
  return ens_recipe_run (params, task, settings, monitor, result, error);
}

void
ens_recipe_finish (const EnsRecipeParams *params)
{
  g_autofree char *checkpoint = ens_recipe_name_checkpoint (params);

  if (!params->keep_checkpoint)
    g_remove (checkpoint);
}

/* -- files -- */

char *
ens_recipe_name_beside (const EnsRecipeParams *params, const char *ending)
{
  gsize length = strlen (params->output);

  if (g_str_has_suffix (params->output, ".onnx"))
    length -= strlen (".onnx");
  return g_strdup_printf ("%.*s%s", (int)length, params->output, ending);
}

char *
ens_recipe_name_log (const EnsRecipeParams *params)
{
  return params->loop.log != NULL ? g_strdup (params->loop.log)
                                  : ens_recipe_name_beside (params, ".jsonl");
}

char *
ens_recipe_name_checkpoint (const EnsRecipeParams *params)
{
  return params->loop.checkpoint != NULL ? g_strdup (params->loop.checkpoint)
                                         : ens_recipe_name_beside (params, ".checkpoint");
}

/* As networks.json has it. (transfer full) */
static char *
describe_network (const EnsRecipeParams *params, const EnsRecipeNetwork *network)
{
  g_autofree char *file = g_path_get_basename (params->output);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_open_array (&json, "networks", ENS_JSON_BLOCK);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "file", file);
  if (network->role != NULL)
    ens_json_string (&json, "role", network->role);
  ens_normalise_write (&json, network->normalise);
  if (network->size > 0)
    ens_json_unsigned (&json, "size", network->size);
  if (network->taps != NULL)
    ens_json_strings (&json, "taps", network->taps);
  if (network->classes != NULL)
    ens_json_strings (&json, "labels", network->classes);
  ens_json_close (&json);
  ens_json_close (&json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

gboolean
ens_recipe_write_network (const EnsRecipeParams *params, const EnsRecipeNetwork *network,
                          GError **error)
{
  g_autofree char *path = ens_recipe_name_beside (params, ".json");
  g_autofree char *text = describe_network (params, network);

  return ens_file_write (path, text, strlen (text), ENS_FILE_DURABLE, error);
}

gboolean
ens_recipe_export (const EnsRecipeParams *params, const EnsGraph *network,
                   const char *const *classes, GError **error)
{
  g_autofree char *dataset = ens_dataset_get_name (params->dataset);
  g_autofree char *labels = NULL;
  EnsOnnxProperty properties[] = {{"labels", NULL}, {ENS_RECIPE_DATASET, dataset}};
  EnsJson json;

  ens_json_init (&json);
  ens_json_strings (&json, NULL, classes);
  properties[0].value = labels = ens_json_finish (&json);
  return ens_onnx_export_described (network, properties, G_N_ELEMENTS (properties), params->output,
                                    error);
}
