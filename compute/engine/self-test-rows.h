/* What the self-test tries: one node each, and, where `op` names no operator, small networks. */
#pragma once

#include <glib.h>

typedef struct {
  const char *op;
  /* Separated by spaces: a shape is an input of random numbers, "=" before it makes it a constant;
   * "=[2,0]" is a constant list of 64-bit integers; "?" before a shape makes an input of random
   * truth values. */
  const char *inputs;
  gconstpointer params; /* of the operator; NULL: zeroes */
  gboolean positive;    /* numbers in [0.1, 2), not [-1, 1) */
} EnsSelfTestRow;

/* Ended by one without an operator. */
extern const EnsSelfTestRow ens_self_test_rows[];
