/* The face of this folder in builds without Vulkan. No device can be opened, so nothing else is
 * ever called. */
#include "base/error.h"
#include "graph/commands.h"
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

EnsVulkanDevice *
ens_vulkan_device_open_gpu (const EnsVulkanOptions *options)
{
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

guint
ens_vulkan_device_get_index (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

const char *
ens_vulkan_device_get_description (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (NULL);
}

gboolean
ens_vulkan_device_has_half (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (FALSE);
}

gsize
ens_vulkan_device_get_max_import (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

EnsMatrixMode
ens_vulkan_device_get_matrices (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (ENS_MATRIX_MODE_NONE);
}

const char *
ens_matrix_mode_name (EnsMatrixMode matrices)
{
  g_return_val_if_reached ("none");
}

guint
ens_vulkan_device_get_n_refused (EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

guint
ens_vulkan_device_get_n_messages (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

guint
ens_vulkan_device_get_n_submits (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

gsize
ens_vulkan_device_get_n_uploaded (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
}

gsize
ens_vulkan_device_get_n_read_back (const EnsVulkanDevice *device)
{
  g_return_val_if_reached (0);
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

gsize
ens_vulkan_executor_get_size (const EnsVulkanExecutor *executor)
{
  g_return_val_if_reached (0);
}

guint
ens_vulkan_executor_get_n_steps (const EnsVulkanExecutor *executor)
{
  g_return_val_if_reached (0);
}

guint
ens_vulkan_executor_get_n_cpu_steps (const EnsVulkanExecutor *executor)
{
  g_return_val_if_reached (0);
}

guint
ens_vulkan_executor_get_n_barriers (const EnsVulkanExecutor *executor)
{
  g_return_val_if_reached (0);
}

void
ens_vulkan_executor_list_half_on_cpu (const EnsVulkanExecutor *executor, GHashTable *names)
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
                         const gpointer *outputs, EnsNodeTime *times, GError **error)
{
  g_return_val_if_reached (FALSE);
}

gboolean
ens_vulkan_executors_run (const EnsVulkanRun *runs, guint n, EnsVulkanPreprocessor *preprocessor,
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

/* Operators record with these (graph/commands.h). */

const EnsGpuTraits *
ens_commands_get_traits (const EnsCommands *commands)
{
  g_return_val_if_reached (NULL);
}

void
ens_commands_dispatch (EnsCommands *commands, const EnsDispatch *dispatch)
{
  g_return_if_reached ();
}

gboolean
ens_commands_can_run (EnsCommands *commands, const EnsDispatch *dispatch)
{
  g_return_val_if_reached (FALSE);
}

void
ens_commands_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n, guint32 size)
{
  g_return_if_reached ();
}

gboolean
ens_commands_in_place (const EnsCommands *commands, const EnsView *whole, gsize element,
                       const EnsView *part)
{
  g_return_val_if_reached (FALSE);
}

gboolean
ens_commands_aligned (const EnsCommands *commands, const EnsView *view, guint n)
{
  g_return_val_if_reached (FALSE);
}

gboolean
ens_commands_by_four (const EnsCommands *commands, const EnsView *view)
{
  g_return_val_if_reached (FALSE);
}

const EnsView *
ens_commands_scratch (EnsCommands *commands, gsize size)
{
  g_return_val_if_reached (NULL);
}

const EnsView *
ens_commands_table (EnsCommands *commands, gconstpointer data, gsize size)
{
  g_return_val_if_reached (NULL);
}

const EnsView *
ens_commands_pack (EnsCommands *commands, EnsTensor *constant, const char *kind, gsize size,
                   EnsPackFunc pack, gpointer state)
{
  g_return_val_if_reached (NULL);
}
