/* Where networks run: the CPU or a GPU. */
#pragma once

#include "base/error.h"
#include "base/tensor.h"
#include "base/thread-pool.h"

G_BEGIN_DECLS

typedef struct _EnsDevice EnsDevice;

/* name: "auto" (a real GPU if there is one, else the CPU), "cpu", "vulkan" (the best GPU there is),
 * "vulkan:N" (by number), or "vulkan:TEXT" (part of a GPU's name or UUID); either followed by
 * "+float16" to store numbers in 16 bits, as long as they fit.
 * n_threads: of the CPU's pool, 0 for one per processor. (transfer full) */
EnsDevice *ens_device_open (const char *name, guint n_threads, GError **error);
EnsDevice *ens_device_ref (EnsDevice *device);
void ens_device_unref (EnsDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsDevice, ens_device_unref)

/* What it is, such as "cpu" or "vulkan:0": opening that name gives the same device. */
const char *ens_device_get_name (EnsDevice *device);
/* A line for people: processor or GPU, instruction set or driver, threads. */
const char *ens_device_get_description (EnsDevice *device);
/* What has gone wrong since this was asked last, though the work goes on: a GPU that failed, and
 * what runs in its place. NULL: nothing. Any thread. (transfer full) */
char *ens_device_take_warning (EnsDevice *device);
EnsThreadPool *ens_device_get_pool (EnsDevice *device);
/* Whether it reads frames where they lie in DMABufs, as long as its GPU works. Any thread. */
gboolean ens_device_imports_dma_bufs (EnsDevice *device);

G_END_DECLS
