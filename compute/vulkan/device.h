/* A GPU, opened for compute. What other layers see of it; no Vulkan types here, so that builds
 * without Vulkan (stubs.c) have the same face. */
#pragma once

#include "graph/commands.h"

typedef struct _EnsVulkanDevice EnsVulkanDevice;
typedef struct _EnsVulkanFunctions EnsVulkanFunctions;

typedef struct {
  /* The validation layers, with synchronisation and GPU-assisted checks: each message is counted
   * and logged as a warning. Arenas are filled with NaN before each run and recorded barriers are
   * checked. */
  gboolean validation;
  /* Copy to and from the device's memory even where the CPU reaches it: as on a graphics card. */
  gboolean staged;
  /* Choose shaders as for a graphics card: none of those that read through texel buffers, which
   * are faster on software devices alone. */
  gboolean no_texels;
  /* By what to multiply matrices of 16 bits. What the device has not is replaced by the next less.
   */
  EnsMatrixMode matrices;
  /* Store tensors in 16 bits where the device can. */
  gboolean half;
  /* For tests: may exchange functions of the table, whenever some have been loaded. */
  void (*wrap) (EnsVulkanFunctions *functions, gpointer data);
  gpointer wrap_data;
} EnsVulkanOptions;

/* What ENSEMBLE_VULKAN_VALIDATION=1, ENSEMBLE_VULKAN_STAGED=1, ENSEMBLE_VULKAN_NO_TEXELS=1 and
 * ENSEMBLE_VULKAN_MATRICES=none, subgroup or workgroup in the environment ask for. */
EnsVulkanOptions ens_vulkan_options_from_environment (void);

/* selector: "" for the best there is (a real GPU before software), an index, or part of a name or
 * of a UUID. options: NULL for those of the environment. (transfer full) */
EnsVulkanDevice *ens_vulkan_device_open (const char *selector, const EnsVulkanOptions *options,
                                         GError **error);
/* A real GPU, the best, or NULL if there is none that works. (transfer full) */
EnsVulkanDevice *ens_vulkan_device_open_gpu (const EnsVulkanOptions *options);
EnsVulkanDevice *ens_vulkan_device_ref (EnsVulkanDevice *device);
void ens_vulkan_device_unref (EnsVulkanDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanDevice, ens_vulkan_device_unref)

/* Its number among the system's devices. */
guint ens_vulkan_device_get_index (const EnsVulkanDevice *device);
/* A line for people: name, driver, Vulkan version. */
const char *ens_vulkan_device_get_description (const EnsVulkanDevice *device);
/* Whether shaders can store float16 there. */
gboolean ens_vulkan_device_has_half (const EnsVulkanDevice *device);
/* Bytes of a DMABuf that shaders can read at once; 0: it can't import any. */
gsize ens_vulkan_device_get_max_import (const EnsVulkanDevice *device);
/* By what it multiplies matrices of 16 bits; never ENS_MATRIX_MODE_BEST. NONE where shaders read
 * through texels: these have none. */
EnsMatrixMode ens_vulkan_device_get_matrices (const EnsVulkanDevice *device);
/* "none", "subgroup" or "workgroup", as ENSEMBLE_VULKAN_MATRICES has them. */
const char *ens_matrix_mode_name (EnsMatrixMode matrices);
/* Shaders that its driver has failed at so far, so that others took their place. */
guint ens_vulkan_device_get_n_refused (EnsVulkanDevice *device);
/* Messages of the validation layers so far. */
guint ens_vulkan_device_get_n_messages (const EnsVulkanDevice *device);
/* Submissions to the device's queue so far. */
guint ens_vulkan_device_get_n_submits (const EnsVulkanDevice *device);
/* Bytes of frames, tables and inputs that runs have written for it, and of outputs that they have
 * read, so far. */
gsize ens_vulkan_device_get_n_uploaded (const EnsVulkanDevice *device);
gsize ens_vulkan_device_get_n_read_back (const EnsVulkanDevice *device);
