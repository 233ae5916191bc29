/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU, opened for compute: the face of this folder, without Vulkan types, so that builds without
 * Vulkan (stubs.c) have the same. */
#pragma once

#include "graph/commands.h"

typedef struct _EnsVulkanDevice EnsVulkanDevice;
typedef struct _EnsVulkanFunctions EnsVulkanFunctions;

typedef struct {
  /* The validation layers, with synchronisation and GPU-assisted checks: each message is counted
   * and logged as a warning. Arenas are filled with NaN before each run and recorded barriers are
   * checked. */
  gboolean validation;
  /* Force staging buffers, as on a graphics card, even where the CPU reaches the GPU's memory. */
  gboolean staged;
  /* Force storage buffers, as on a graphics card, instead of texel buffers, which are faster on
   * software devices only. */
  gboolean no_texels;
  /* How to multiply float16 matrices. A mode that the device lacks is replaced by the next lower.
   */
  EnsMatrixMode matrices;
  /* Store tensors as float16 where the device can. */
  gboolean float16;
  /* For tests: may exchange functions of the table, whenever some have been loaded. */
  void (*wrap) (EnsVulkanFunctions *functions, gpointer data);
  gpointer wrap_data;
} EnsVulkanOptions;

/* Options from the environment: ENSEMBLE_VULKAN_VALIDATION, _STAGED, _NO_TEXELS and _MATRICES
 * (README.md of this folder). */
EnsVulkanOptions ens_vulkan_options_from_environment (void);

/* selector: an index, part of a name or of a UUID; "" for the best device there is (a real GPU
 * before software); NULL for the best real GPU. options: NULL for those of the environment.
 * (transfer full) */
EnsVulkanDevice *ens_vulkan_device_open (const char *selector, const EnsVulkanOptions *options,
                                         GError **error);
EnsVulkanDevice *ens_vulkan_device_ref (EnsVulkanDevice *device);
void ens_vulkan_device_unref (EnsVulkanDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsVulkanDevice, ens_vulkan_device_unref)

/* Facts about an open device. */
typedef struct {
  guint index;             /* among the system's devices */
  const char *description; /* a line for people: name, driver, Vulkan version */
  gboolean float16;        /* shaders can store float16 */
  gsize max_import;        /* bytes of a DMABuf that a shader can read; 0: imports don't work */
  /* How float16 matrices are multiplied, never BEST. NONE where shaders read through texel buffers.
   */
  EnsMatrixMode matrices;
} EnsVulkanDeviceInfo;

/* Stays as it is while the device lives. (transfer none) */
const EnsVulkanDeviceInfo *ens_vulkan_device_get_info (const EnsVulkanDevice *device);

/* Counters since the device was opened. */
typedef struct {
  guint n_submits;  /* submissions to its queue */
  guint n_messages; /* messages of the validation layers */
  guint n_refused;  /* pipelines that its driver failed to compile, so that others are used */
  gsize uploaded;   /* bytes of frames, tables and inputs that runs have written for it */
  gsize read_back;  /* bytes of outputs that runs have read from it */
} EnsVulkanCounters;

/* Any thread. */
EnsVulkanCounters ens_vulkan_device_get_counters (EnsVulkanDevice *device);
