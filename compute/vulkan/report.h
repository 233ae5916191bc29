/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's GPUs and their abilities, for people. */
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
  char *matrices;      /* shapes of its cooperative matrices */
  const char *imports; /* kinds of memory that it can import from other drivers */
  gboolean timeline;   /* semaphores */
  char *shaders;       /* which variants of them it would run */
  const char *quirk;   /* what its driver is known to do wrong, or NULL */
  const char *unfit;   /* why it can't be used, or NULL */
} EnsVulkanReport;

/* All devices, EnsVulkanReport. options: as of ens_vulkan_device_open (). (transfer full) */
GPtrArray *ens_vulkan_report (const EnsVulkanOptions *options, GError **error);
