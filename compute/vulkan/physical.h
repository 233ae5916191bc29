/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's devices and their abilities, probed without opening them. */
#pragma once

#include "graph/commands.h"
#include "vulkan/instance.h"

#define ENS_MAX_MATRICES 8

typedef struct {
  VkPhysicalDevice handle;
  guint index; /* among the system's devices */
  VkPhysicalDeviceType type;
  char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
  char driver[VK_MAX_DRIVER_NAME_SIZE + VK_MAX_DRIVER_INFO_SIZE]; /* name and version */
  VkDriverId driver_id;
  guint32 vendor_id, device_id, driver_version, api_version;
  guint8 uuid[VK_UUID_SIZE], cache_uuid[VK_UUID_SIZE];
  VkPhysicalDeviceMemoryProperties memory;
  guint64 local_memory; /* bytes of its largest device-local heap */
  guint64 max_allocation;
  guint32 max_storage_range; /* bytes of one binding */
  gsize offset_alignment;    /* of bindings, bytes */
  guint32 max_push_size;
  double timestamp_period; /* nanoseconds; 0: no timestamps */
  gboolean storage16;      /* float16 in storage buffers */
  gboolean storage8;       /* bytes in storage buffers */
  gboolean float16;        /* float16 arithmetic */
  gboolean memory_model;   /* Vulkan's, for cooperative matrices */
  gboolean timeline, subgroup_control;
  gboolean dma_buf;   /* shaders can read DMABufs as storage buffers */
  gboolean dedicated; /* … each by an allocation of its own alone */
  gboolean
      foreign_queues; /* VK_EXT_queue_family_foreign: it can acquire what other drivers wrote */
  guint32 min_subgroup, max_subgroup;
  gboolean cooperative; /* has matrices of subgroups … */
  /* … and of workgroups, of more shapes, by tensor addressing */
  gboolean workgroup_matrices, flexible_matrices, tensors;
  /* Shapes that those of float16 may have, accumulated in float32 by a subgroup. */
  EnsMatrixShape matrices[ENS_MAX_MATRICES];
  guint n_matrices;
  int queue_family; /* the one to compute on; −1: there is none */
  EnsGpuTraits traits;
  const char *unfit; /* why it can't be used, or NULL */
} EnsVulkanPhysical;

/* All devices of the system, EnsVulkanPhysical, those that can't be used too. (transfer full) */
GArray *ens_vulkan_list (const EnsVulkanInstance *instance, GError **error);

/* The device that a selector (as of ens_vulkan_device_open ()) names, or NULL with an error that
 * lists what there is. Belongs to `list`. */
const EnsVulkanPhysical *ens_vulkan_select (const GArray *list, const char *selector,
                                            GError **error);

/* Abilities that are not used with a driver although it announces them. */
typedef enum {
  ENS_QUIRK_NO_MATRICES = 1 << 0,
  ENS_QUIRK_NO_FULL_SUBGROUPS = 1 << 1,
} EnsQuirkFlags;

typedef struct {
  VkDriverId driver;
  EnsQuirkFlags flags;
  const char *reason; /* and the source of that */
} EnsDriverQuirk;

/* The driver's quirk, or NULL. */
const EnsDriverQuirk *ens_vulkan_find_quirk (VkDriverId driver);

/* Chooses variants of the shaders as the options say. */
void ens_vulkan_physical_apply (EnsVulkanPhysical *physical, const EnsVulkanOptions *options);

/* Probes the device's matrices, after its features and properties. */
gboolean ens_vulkan_matrices_probe (EnsVulkanPhysical *physical, const EnsVulkanFunctions *vk,
                                    GError **error);
/* Sets the mode: the requested one, or the next lower that the device has. */
void ens_vulkan_matrices_choose (EnsVulkanPhysical *physical, EnsMatrixMode wish);

gboolean ens_vulkan_physical_is_software (const EnsVulkanPhysical *physical);
/* "1.3.230" (transfer full) */
char *ens_vulkan_version_to_string (guint32 version);
/* 32 hexadecimal digits (transfer full) */
char *ens_vulkan_uuid_to_string (const guint8 *uuid);
