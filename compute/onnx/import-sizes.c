/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes of images: a file is imported for one, and tried with others where it leaves them open, or
 * where what it computes depends on them. */
#include <string.h>

#include "base/files.h"
#include "onnx/import.h"
#include "onnx/onnx.h"
#include "ops/params.h"

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsOnnxImport, ens_onnx_import_clear)

/* Whether dimensions [first, end) of images are the user's to choose. */
static gboolean
is_open (const EnsOnnxImport *import, guint first, guint end)
{
  for (guint i = 0; i < import->declared->len; i++) {
    const EnsShape *shape = &g_array_index (import->declared, EnsShape, i);

    for (guint j = first; shape->rank == 4 && j < end; j++)
      if (shape->dims[j] < 0)
        return TRUE;
  }
  return FALSE;
}

typedef struct {
  GBytes *bytes;
  const char *name, *folder;
  const char *named; /* as ens_onnx_files_new () */
} Source;

/* An import, and what it shows. */
typedef struct {
  guint nominal_size, nominal_channels;
  gboolean any_size;            /* sizes that the file declares count as open */
  gboolean open, open_channels; /* set: some sizes are, and numbers of channels */
  char *choices;                /* set: of branches, by the size of images */
} Trial;

static EnsGraph *
import_at_size (const Source *source, Trial *trial, GError **error)
{
  g_autoptr (EnsOnnxFiles) files = ens_onnx_files_new (source->folder, source->named);
  g_autoptr (Onnx__ModelProto) model = ens_onnx_parse (source->bytes, error);
  g_auto (EnsOnnxImport) import = {.files = files,
                                   .nominal_size = trial->nominal_size,
                                   .nominal_channels = trial->nominal_channels,
                                   .any_size = trial->any_size};
  EnsGraph *graph;

  ens_onnx_import_init (&import, source->name, g_bytes_get_size (source->bytes));
  g_clear_pointer (&trial->choices, g_free);
  if (model == NULL)
    return NULL;
  ens_onnx_files_set_model (files, model);
  graph = ens_onnx_import_graph (&import, model, error);
  trial->open = is_open (&import, 1, 3);
  trial->open_channels = is_open (&import, 3, 4);
  trial->choices = g_strdup (import.choices->str);
  return graph;
}

/* Other sizes than this one are an error from now on. */
static void
fix_size (EnsGraph *graph, EnsValue *input, guint nominal_size)
{
  static const EnsReshapeParams params = {0};
  const EnsShape shape = ens_onnx_nominal_shape (&input->shape, 3, 1, nominal_size);
  const gint64 dims[] = {0, shape.dims[1], shape.dims[2], shape.dims[3]};
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (4), dims);
  g_autofree char *name = g_strdup_printf ("%s:size", input->name);
  EnsValue *inputs[] = {input, ens_graph_add_constant (graph, name, tensor)};
  EnsNode *node = ens_graph_add_node (graph, ens_op_find ("Reshape"), name, &params, inputs, 2, 1);

  input->shape.dims[1] = shape.dims[1];
  input->shape.dims[2] = shape.dims[2];
  node->outputs[0]->type = input->type;
  node->outputs[0]->shape = input->shape;
  ens_graph_replace_uses (graph, input, node->outputs[0]);
  ens_node_set_input (graph, node, 0, input);
  ens_graph_move_node (graph, node, g_ptr_array_index (graph->nodes, 0));
}

static void
fix_sizes (EnsGraph *graph, guint nominal_size)
{
  for (guint i = 0; i < graph->inputs->len; i++) {
    EnsValue *input = g_ptr_array_index (graph->inputs, i);

    if (input->shape.rank == 4)
      fix_size (graph, input, nominal_size);
  }
  ens_graph_add_note (graph, "its branches (If) depend on the images' size: it takes images of "
                             "this size alone");
}

/* Pixels by which another size differs. */
#define OTHER_SIZE 64

/* Branches that were chosen by the size of images: if others would be chosen for another one, the
 * graph is for this size alone. */
static void
check_choices (const Source *source, const Trial *trial, EnsGraph *graph)
{
  Trial other = {.nominal_size = trial->nominal_size + OTHER_SIZE,
                 .nominal_channels = trial->nominal_channels,
                 .any_size = TRUE};
  g_autoptr (EnsGraph) changed = NULL;

  if (*trial->choices == '\0')
    return;
  changed = import_at_size (source, &other, NULL);
  if (changed == NULL || strcmp (trial->choices, other.choices) != 0)
    fix_sizes (graph, trial->nominal_size);
  g_free (other.choices);
}

/* A number of channels that the file leaves open is known if another one is an error. */
static void
check_channels (const Source *source, const Trial *trial, EnsGraph *graph)
{
  Trial other = {.nominal_size = trial->nominal_size,
                 .nominal_channels = trial->nominal_channels + 1};
  g_autoptr (EnsGraph) changed = NULL;

  if (!trial->open_channels)
    return;
  changed = import_at_size (source, &other, NULL);
  g_free (other.choices);
  for (guint i = 0; changed == NULL && i < graph->inputs->len; i++) {
    EnsShape *shape = &((EnsValue *)g_ptr_array_index (graph->inputs, i))->shape;

    if (shape->rank == 4 && shape->dims[3] < 0)
      shape->dims[3] = trial->nominal_channels;
  }
}

/* From the size that is set on: other sizes and numbers of channels, where the file leaves them
 * open and what has been tried does not fit. error: of the first. */
static EnsGraph *
try_sizes (const Source *source, Trial *trial, gboolean one_size, GError **error)
{
  static const guint channels[] = {3, 1, 4};
  const guint *sizes = one_size ? (const guint[]) {trial->nominal_size, 0} : ens_onnx_nominal_sizes;
  g_autoptr (GError) first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++)
    for (guint j = 0; sizes[j] != 0; j++) {
      EnsGraph *graph;

      if ((i > 0 && !trial->open_channels) || (j > 0 && !trial->open))
        break;
      trial->nominal_channels = channels[i];
      trial->nominal_size = sizes[j];
      graph = import_at_size (source, trial, first == NULL ? &first : NULL);
      if (graph != NULL)
        return graph;
      if (!g_error_matches (first, ENS_ERROR, ENS_ERROR_SHAPE)) {
        g_propagate_error (error, g_steal_pointer (&first));
        return NULL;
      }
    }
  g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}

static EnsGraph *
import_source (const Source *source, const EnsOnnxOptions *options, GError **error)
{
  gboolean given = options != NULL && options->nominal_size > 0;
  Trial trial = {.nominal_size = given ? options->nominal_size : 0};
  EnsGraph *graph = try_sizes (source, &trial, given, error);

  if (graph == NULL) {
    g_prefix_error (error, "%s: ", source->name);
  } else {
    check_choices (source, &trial, graph);
    check_channels (source, &trial, graph);
  }
  g_free (trial.choices);
  return graph;
}

EnsGraph *
ens_onnx_import_bytes (GBytes *bytes, const char *name, const char *folder,
                       const EnsOnnxOptions *options, GError **error)
{
  return import_source (&(Source) {bytes, name, folder, NULL}, options, error);
}

EnsGraph *
ens_onnx_import (const char *path, const EnsOnnxOptions *options, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GMappedFile) file = ens_file_map (path, error);
  g_autoptr (GBytes) bytes = NULL;
  const char *named;

  if (file == NULL) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  bytes = g_mapped_file_get_bytes (file);
  named = options == NULL || !options->confined ? path : NULL;
  return import_source (&(Source) {bytes, path, folder, named}, options, error);
}
