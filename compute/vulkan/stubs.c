/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The face of this folder in builds without Vulkan. No device can be opened, so no other function
 * is ever called. */
#include "base/error.h"
#include "vulkan/executor.h"
#include "vulkan/report.h"

EnsVulkanOptions
ens_vulkan_options_from_environment (void)
{
  return (EnsVulkanOptions) {0};
}

static void
set_error (GError **error)
{
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                       "this build has no Vulkan executor, use “cpu”");
}

EnsVulkanDevice *
ens_vulkan_device_open (const char *selector, const EnsVulkanOptions *options, GError **error)
{
  set_error (error);
  return NULL;
}

GPtrArray *
ens_vulkan_report (const EnsVulkanOptions *options, GError **error)
{
  set_error (error);
  return NULL;
}

EnsVulkanDevice *
ens_vulkan_device_ref (EnsVulkanDevice *device)
{
  g_return_val_if_reached (device);
}

void
ens_vulkan_device_unref (EnsVulkanDevice *device)
{
  g_return_if_reached ();
}

const EnsVulkanDeviceInfo *
ens_vulkan_device_get_info (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (NULL);
}

EnsVulkanCounters
ens_vulkan_device_get_counters (EnsVulkanDevice *device)
{
  g_return_val_if_reached ((EnsVulkanCounters) {0});
}

EnsVulkanWeights *
ens_vulkan_weights_new (EnsVulkanDevice *device)
{
  g_return_val_if_reached (NULL);
}

EnsVulkanWeights *
ens_vulkan_weights_ref (EnsVulkanWeights *weights)
{
  g_return_val_if_reached (weights);
}

void
ens_vulkan_weights_unref (EnsVulkanWeights *weights)
{
  g_return_if_reached ();
}

EnsVulkanDevice *
ens_vulkan_weights_get_device (const EnsVulkanWeights *weights)
{
  g_return_val_if_reached (NULL);
}

gsize
ens_vulkan_weights_get_size (EnsVulkanWeights *weights)
{
  g_return_val_if_reached (0);
}

EnsVulkanExecutor *
ens_vulkan_executor_new (EnsGraph *graph, const EnsVulkanContext *context, GError **error)
{
  g_return_val_if_reached (NULL);
}

void
ens_vulkan_executor_free (EnsVulkanExecutor *executor)
{
  g_return_if_reached ();
}

const EnsVulkanExecutorInfo *
ens_vulkan_executor_get_info (const EnsVulkanExecutor *executor)
{
  g_return_val_if_reached (NULL);
}

void
ens_vulkan_executor_list_float16_on_cpu (const EnsVulkanExecutor *executor, GHashTable *names)
{
  g_return_if_reached ();
}

gboolean
ens_vulkan_executor_take_overflows (EnsVulkanExecutor *executor, gboolean all, GHashTable *names)
{
  g_return_val_if_reached (FALSE);
}

gboolean
ens_vulkan_executor_run (EnsVulkanExecutor *executor, const gconstpointer *inputs,
                         const gpointer *outputs, EnsNodeTime *times, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_reached (FALSE);
}

gboolean
ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, GCancellable *cancellable,
                          GError **error)
{
  g_return_val_if_reached (FALSE);
}

EnsVulkanPreprocessor *
ens_vulkan_preprocessor_new (void)
{
  g_return_val_if_reached (NULL);
}

void
ens_vulkan_preprocessor_free (EnsVulkanPreprocessor *preprocessor)
{
}

void
ens_vulkan_preprocessor_set_frame (EnsVulkanPreprocessor *preprocessor, const EnsPackedFrame *frame)
{
  g_return_if_reached ();
}
