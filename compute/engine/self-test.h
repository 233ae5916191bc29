/* A device compared with the operators' references, on the machine of whoever uses it. */
#pragma once

#include "engine/network.h"

typedef struct {
  const char *name; /* of the operator, or what else was run */
  char *kernel;     /* what ran: a shader's name, "on the CPU: …"; of a network NULL */
  double error;     /* largest difference by the largest magnitude */
  gboolean passed;
  char *problem; /* why it could not be run, or NULL */
} EnsSelfTestResult;

/* Largest error that passes, of devices that store numbers in 32 and in 16 bits. */
#define ENS_SELF_TEST_TOLERANCE 1e-4
#define ENS_SELF_TEST_HALF_TOLERANCE 1e-2

/* One small case of every operator that a GPU may run, and two small networks. Takes some seconds
 * where shaders have to be compiled. Returns EnsSelfTestResult. (transfer full) */
GPtrArray *ens_self_test (EnsDevice *device);
