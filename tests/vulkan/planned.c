/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "planned.h"

#include "check-main.h"
#include "cpu/weights.h"
#include "passes/passes.h"

EnsVulkanDevice *
open_device (const EnsVulkanOptions *options)
{
  g_autoptr (GError) error = NULL;
  EnsVulkanDevice *device = ens_vulkan_device_open ("", options, &error);

  if (device == NULL)
    test_skip (error->message);
  return device;
}

void
planned_init (Planned *planned, const EnsGraph *graph, EnsVulkanDevice *device, EnsThreadPool *pool)
{
  g_autofree EnsShape *shapes = g_new (EnsShape, graph->inputs->len);
  g_autoptr (GError) error = NULL;
  EnsGraph *copy = ens_graph_copy (graph);

  for (guint i = 0; i < graph->inputs->len; i++)
    shapes[i] = ((EnsValue *)g_ptr_array_index (graph->inputs, i))->shape;
  ens_passes_plan (copy, shapes, &error);
  ck_assert_no_error (error);
  planned->weights = ens_vulkan_weights_new (device);
  planned->cpu_weights = ens_packed_weights_new ();
  planned->executor = ens_vulkan_executor_new (
      copy, &(EnsVulkanContext) {device, planned->weights, pool, planned->cpu_weights}, &error);
  ck_assert_no_error (error);
}

void
planned_clear (Planned *planned)
{
  ens_vulkan_executor_free (planned->executor);
  ens_packed_weights_unref (planned->cpu_weights);
  ens_vulkan_weights_unref (planned->weights);
}

gpointer *
list_data (const GPtrArray *tensors)
{
  gpointer *data = g_new0 (gpointer, tensors->len + 1);

  for (guint i = 0; i < tensors->len; i++)
    data[i] = ((EnsTensor *)g_ptr_array_index (tensors, i))->data;
  return data;
}

GPtrArray *
make_outputs (const EnsGraph *graph)
{
  GPtrArray *outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);

  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);

    g_ptr_array_add (outputs, ens_tensor_new (output->type, &output->shape));
  }
  return outputs;
}
