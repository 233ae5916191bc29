/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What import computes beforehand, of weights alone: how much it may be, and when it is let go.
 *
 * Networks that normalise their weights have chains of such nodes, each with a result as large as
 * the weights, of which the last is needed. */
#include "graph/infer.h"
#include "onnx/import.h"

/* Bytes for each byte of the files: of contents at a time, and computed in all. */
#define MAX_HELD 4
#define MAX_COMPUTED 32
/* … and steps that computing it takes. */
#define MAX_STEPS 64

void
ens_onnx_import_raise (EnsOnnxImport *import, gsize file_size)
{
  import->budget += MAX_HELD * file_size;
  import->work += MAX_COMPUTED * file_size;
  import->steps += MAX_STEPS * (double)file_size;
}

gboolean
ens_onnx_import_take (EnsOnnxImport *import, gsize size)
{
  gsize n_external = ens_onnx_files_size (import->files);

  ens_onnx_import_raise (import, n_external - import->n_external);
  import->n_external = n_external;
  return ens_onnx_budget_take (&import->work, size) && ens_onnx_budget_take (&import->budget, size);
}

gboolean
ens_onnx_import_take_steps (EnsOnnxImport *import, const EnsNode *node)
{
  import->steps -= ens_node_count_steps (node);
  return import->steps >= 0;
}

guint
ens_onnx_count_reads (const EnsOnnxImport *import, const char *name)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (import->read, name));
}

/* What the graph holds of a file's own contents stays: nothing computes it again. */
static void
release_value (EnsOnnxImport *import, EnsValue *value)
{
  if (value == NULL || value->constant == NULL || value->producer == NULL
      || g_hash_table_contains (import->kept, value))
    return;
  import->budget += ens_tensor_size (value->constant);
  g_clear_pointer (&value->constant, ens_tensor_unref);
}

static void
note_done (char *name, gpointer data)
{
  EnsOnnxImport *import = data;
  EnsOnnxTensor *tensor = ens_onnx_import_find (import, name);
  guint n_reads = ens_onnx_count_reads (import, name);

  if (n_reads > 0)
    g_hash_table_insert (import->read, name, GUINT_TO_POINTER (--n_reads));
  if (n_reads > 0 || tensor == NULL || tensor->aliased)
    return;
  release_value (import, tensor->first);
  if (tensor->last != tensor->first)
    release_value (import, tensor->last);
}

void
ens_onnx_import_release (EnsOnnxImport *import, const Onnx__NodeProto *node)
{
  ens_onnx_node_foreach_read (node, note_done, import);
}
