/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors and attributes as rows write them. What can't be read aborts the test. */
#pragma once

#include "graph/attributes.h"

typedef struct {
  gboolean absent, constant, random;
  gboolean has_values;
  EnsTensor *tensor;
} TestTensor;

/* Random elements come from `random`. (element-type TestTensor) (transfer full) */
GArray *test_read_tensors (const char *text, GRand *random);
EnsAttributes *test_read_attributes (const char *text);
