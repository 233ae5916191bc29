/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices that run networks: the CPU or a GPU. */
#pragma once

#include "base/error.h"
#include "base/tensor.h"
#include "base/thread-pool.h"

G_BEGIN_DECLS

typedef struct _EnsDevice EnsDevice;

/* Of one image; about what the largest published classifiers take at their largest sizes. */
#define ENS_DEFAULT_MAX_OPERATIONS G_GINT64_CONSTANT (4000000000000)

/* What a plan may take. */
typedef struct {
  /* Bytes of intermediate values, inputs and outputs. 0: as many as the environment variable
   * ENSEMBLE_MAX_MEMORY says, or as the machine, the container and the process's limits leave. */
  guint64 memory;
  /* Operations for one image of a batch, multiplications and additions each one. 0: as many as
   * ENSEMBLE_MAX_OPERATIONS says, or ENS_DEFAULT_MAX_OPERATIONS. */
  guint64 operations;
} EnsLimits;

/* name: "auto" (a real GPU if there is one, else the CPU), "cpu", "vulkan" (the best GPU there is),
 * "vulkan:N" (by number), or "vulkan:TEXT" (part of a GPU's name or UUID); either followed by
 * "+float16" for float16 storage with float32 accumulation; layers that overflow fall back to
 * float32.
 * n_threads: of the CPU's pool, 0 for one per processor. (transfer full) */
EnsDevice *ens_device_open (const char *name, guint n_threads, GError **error);
EnsDevice *ens_device_ref (EnsDevice *device);
void ens_device_unref (EnsDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsDevice, ens_device_unref)

/* Its name, such as "cpu" or "vulkan:0": opening that name gives the same device. */
const char *ens_device_get_name (EnsDevice *device);
/* A line for people: processor or GPU, instruction set or driver, threads. */
const char *ens_device_get_description (EnsDevice *device);
/* The last problem since the last call that did not stop the work: float16 overflow, device loss, a
 * fallback to the CPU. NULL: none. Any thread. (transfer full) */
char *ens_device_take_warning (EnsDevice *device);
EnsThreadPool *ens_device_get_pool (EnsDevice *device);
/* What plans that are made from now on may take; zeroes at first. Any thread. */
void ens_device_set_limits (EnsDevice *device, const EnsLimits *limits);
EnsLimits ens_device_get_limits (EnsDevice *device);
/* Whether it reads frames in DMABufs without copying them, as long as its GPU works. Any thread. */
gboolean ens_device_imports_dma_bufs (EnsDevice *device);
/* How it multiplies float16 matrices, for people: "none" (the shaders' own arithmetic), "subgroup"
 * or "workgroup" (whose cooperative matrices), and how many pipelines its driver failed to compile.
 * NULL for a device without float16 storage. (transfer full) */
char *ens_device_describe_matrices (EnsDevice *device);

/* A line about a device, for people. */
typedef struct {
  const char *label; /* "driver", "memory", "float16" … */
  char *value;
} EnsDeviceFact;

typedef struct {
  char *name;       /* as ens_device_open () takes it: "vulkan:0" */
  char *title;      /* as the driver calls it */
  GPtrArray *facts; /* EnsDeviceFact */
} EnsDeviceEntry;

/* All GPUs of the system, EnsDeviceEntry, those that can't be used too. Empty without any driver.
 * NULL, with an error, without Vulkan. (transfer full) */
GPtrArray *ens_device_list_gpus (GError **error);

G_END_DECLS
