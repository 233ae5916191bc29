/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"
#include "drawing/network-drawing.h"
#include "drawing/network-groups.h"
#include "engine/feature-layers.h"
#include "engine/limits.h"
#include "ensemble/member-graph.h"
#include "graph/infer.h"
#include "inspect.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "proposal.h"
#include "table.h"

#define USUAL_SIZE 224

/* Concrete shapes for the graph's inputs. (transfer full) */
static EnsShape *
choose_shapes (const EnsGraph *graph, guint size)
{
  EnsShape *shapes = g_new (EnsShape, graph->inputs->len);

  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    shapes[i] = input->shape;
    for (guint d = 0; d < shapes[i].rank; d++) {
      gboolean is_side = shapes[i].rank == 4 && (d == 1 || d == 2);

      if (shapes[i].dims[d] < 0)
        shapes[i].dims[d] = is_side ? (gint64)(size > 0 ? size : USUAL_SIZE) : 1;
    }
  }
  return shapes;
}

/* "float32", or "float16 (computed as float32)". (transfer full) */
static char *
describe_type (const EnsValue *value, const EnsOnnxAbout *about)
{
  const char *computed = ens_type_name (value->type);
  const char *stored = g_hash_table_lookup (about->types, value->name);

  return stored == NULL || g_str_equal (stored, computed)
             ? g_strdup (computed)
             : g_strdup_printf ("%s (computed as %s)", stored, computed);
}

static void
print_values (const char *kind, const GPtrArray *values, const EnsOnnxAbout *about)
{
  for (guint i = 0; i < values->len; i++) {
    const EnsValue *value = g_ptr_array_index (values, i);
    g_autofree char *shape = ens_shape_to_string (&value->shape);
    g_autofree char *type = describe_type (value, about);

    g_print ("%-7s “%s”, %s, %s%s\n", kind, value->name, type, shape,
             value->shape.rank == 4 ? " (images, height, width, channels)" : "");
  }
}

static void
print_layers (const EnsGraph *graph)
{
  g_autoptr (ToolTable) table = tool_table_new ("…layer|operator|output|>parameters|attributes…");
  gint64 total = 0;

  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = g_ptr_array_index (graph->nodes, i);
    g_autofree char *shape = ens_shape_to_string (&node->outputs[0]->shape);
    g_autofree char *attributes = ens_node_attributes_to_string (node);
    gint64 n = network_count_parameters (node);

    total += n;
    tool_table_row (table);
    tool_table_cell (table, "%s", node->name);
    tool_table_cell (table, "%s", node->op->name);
    tool_table_cell (table, "%s", shape);
    if (n > 0)
      tool_table_cell (table, "%" G_GINT64_FORMAT, n);
    else
      tool_table_cell (table, "%s", "");
    tool_table_cell (table, "%s", attributes);
  }
  tool_table_print (table);
  g_print ("%u layers, %" G_GINT64_FORMAT " parameters\n", graph->nodes->len, total);
}

/* For one image. */
static void
print_operations (const EnsGraph *graph, const EnsShape *shapes)
{
  gint64 batch = graph->inputs->len > 0 && shapes[0].rank > 0 ? MAX (shapes[0].dims[0], 1) : 1;
  g_autofree char *text =
      ens_format_operations (ens_graph_count_operations (graph) / (double)batch);

  g_print ("cost    %s operations for each image (max-operations limits them)\n", text);
}

static void
print_taps (GArray *taps)
{
  g_autoptr (ToolTable) table = tool_table_new (">features|shape|>distance|tap");

  for (guint i = taps->len; i-- > 0;) {
    const EnsFeatureLayer *tap = &g_array_index (taps, EnsFeatureLayer, i);
    g_autofree char *shape = ens_shape_to_string (&tap->shape);

    tool_table_row (table);
    tool_table_cell (table, "%u", tap->channels);
    tool_table_cell (table, "%s", shape);
    tool_table_cell (table, "%u", tap->distance);
    tool_table_cell (table, "%s", tap->value->name);
  }
  g_print ("\nFeatures can be tapped at these layers (distance: layers back from the output):\n");
  tool_table_print (table);
}

static void
print_geometry (const char *path, const EnsPreprocess *preprocess)
{
  const EnsBundleNetwork settings = {
      .taps = preprocess->taps, .normalise = preprocess->normalise, .size = preprocess->size};
  g_autoptr (GError) error = NULL;
  g_autofree char *takes = NULL;
  EnsMemberGeometry geometry;

  if (!ens_member_read_geometry (path, &settings, &geometry, &error)) {
    g_print ("  note    %s\n", error->message);
    return;
  }
  takes = ens_member_geometry_describe (&geometry);
  tool_proposal_print_line ("images", takes, "found by trying");
}

/* An ensemble can use networks of images alone, which the layers are shown of all the same. */
static void
print_proposal (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPreprocess) preprocess = ens_preprocess_find (path, &error);

  g_print ("\nIn an ensemble (train takes this where it is told nothing else):\n");
  if (preprocess == NULL) {
    g_print ("  %s\n", error->message);
    return;
  }
  tool_proposal_print (preprocess);
  print_geometry (path, preprocess);
}

static gboolean
write_drawing (const EnsGraph *graph, const GArray *taps, const char *path, const char *drawing,
               GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *title = g_path_get_basename (path);
  g_autofree char *svg = NULL;

  for (guint i = 0; i < taps->len; i++)
    g_ptr_array_add (names, g_array_index (taps, EnsFeatureLayer, i).value->name);
  g_ptr_array_add (names, NULL);
  svg =
      network_draw (&(NetworkDrawing) {graph, title, (const char *const *)(gpointer)names->pdata});
  if (!ens_file_write (drawing, svg, strlen (svg), ENS_FILE_USUAL, error))
    return FALSE;
  g_print ("\n%s\n", drawing);
  return TRUE;
}

gboolean
tool_inspect_network (const char *path, guint size, const char *drawing, GError **error)
{
  const EnsOnnxOptions options = {.nominal_size = size};
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, &options, error);
  g_autoptr (EnsOnnxAbout) about = graph != NULL ? ens_onnx_about_read (path, error) : NULL;
  g_autoptr (GArray) taps = NULL;
  g_autofree EnsShape *shapes = NULL;

  if (about == NULL)
    return FALSE;
  g_print ("network “%s”\n", graph->name);
  for (guint i = 0; i < graph->notes->len; i++)
    g_print ("note    %s\n", (const char *)graph->notes->pdata[i]);
  print_values ("input", graph->inputs, about);
  shapes = choose_shapes (graph, size);
  taps = ens_graph_list_feature_layers (graph, shapes, error);
  if (taps == NULL || !ens_infer_graph (graph, shapes, error))
    return FALSE;
  ens_graph_remove_unused (graph);
  print_values ("output", graph->outputs, about);
  print_operations (graph, shapes);
  g_print ("\n");
  print_layers (graph);
  print_taps (taps);
  print_proposal (path);
  return drawing == NULL || write_drawing (graph, taps, path, drawing, error);
}
