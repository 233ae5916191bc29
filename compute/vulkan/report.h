/* What there is to say about the system's GPUs, for people. */
#pragma once

#include <glib.h>

#include "vulkan/device.h"

typedef struct {
  guint index;
  char *name;
  const char *kind;      /* "graphics card", "software" … */
  char *driver, *vulkan; /* versions */
  char *uuid;
  guint64 memory;      /* bytes */
  char *subgroup;      /* invocations, and between which numbers they can be chosen */
  const char *float16; /* "storage and arithmetic", "no" … */
  char *matrices;      /* shapes of cooperative ones */
  const char *imports; /* memory that other drivers share */
  gboolean timeline;   /* semaphores */
  char *runs;          /* which variants of the shaders would */
  const char *quirks;  /* what its driver is known to do wrong, or NULL */
  const char *unfit;   /* why it can't be used, or NULL */
} EnsVulkanReport;

/* All devices, EnsVulkanReport. options: as of ens_vulkan_device_open (). (transfer full) */
GPtrArray *ens_vulkan_report (const EnsVulkanOptions *options, GError **error);
