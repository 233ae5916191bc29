/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device compared with the operators' references, on the user's machine. */
#pragma once

#include "engine/network.h"

typedef struct {
  const char *name; /* of the operator, or what else was run */
  char *kernel;     /* the shader that ran, or "on the CPU: …"; NULL for a network */
  double error;     /* largest difference by the largest magnitude */
  gboolean passed;
  char *problem; /* why it could not be run, or NULL */
} EnsSelfTestResult;

/* Largest error that passes, with float32 and with float16 storage. */
#define ENS_SELF_TEST_TOLERANCE 1e-4
#define ENS_SELF_TEST_FLOAT16_TOLERANCE 1e-2

/* The examples that operators give of themselves, and two small networks. Takes some seconds
 * where shaders have to be compiled. Returns EnsSelfTestResult. (transfer full) */
GPtrArray *ens_self_test (EnsDevice *device);
