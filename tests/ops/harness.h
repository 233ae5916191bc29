/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators tested by rows of data.
 *
 * A row is one node: attributes and inputs as text. `check` runs it through everything that must
 * hold of any operator (check.c); a row adds expected values by hand, or the error it must give.
 * Random inputs are the same in every run. */
#pragma once

#include "graph/op.h"
#include "stems.h"

typedef struct {
  const char *name; /* what is special about it; unique among the operator's rows */
  /* As ens_attributes_to_string () prints them: `axis=1 pads=[0, 0, 1, 1] alpha=0.5 mode="edge"`.
   * Floats have a point. */
  const char *attributes;
  /* Separated by semicolons, each `[const] [TYPE] SHAPE [in LOW..HIGH | = VALUES]` or `-` for one
   * that is absent. TYPE is float32 if absent; SHAPE as ens_shape_to_string () prints it; LOW..HIGH
   * is -1..1 for floats, -9..9 for integers. Contents of a const input are known while planning. */
  const char *inputs;
  /* Output 0, or all outputs separated by semicolons, in the same form; without values the shape
   * alone is compared. NULL: kernels are compared with the reference alone. */
  const char *expected;
  const char *error; /* attributes or shape () fail with a message that contains this */
  /* Allowed difference as a part of the largest magnitude; 0: 2e-6. */
  double tolerance;
  gboolean each;         /* … of each value's own magnitude */
  gint64 opset;          /* 0: ENS_ONNX_OPSET */
  guint outputs;         /* 0: 1 */
  const char *benchmark; /* inputs of interesting size, for measuring */
} TestRow;

typedef struct {
  const char *op;
  const TestRow *rows; /* ended by one whose inputs are NULL */
} TestOperator;

/* The rows of each family's file, ended by an operator of name NULL. */
#define TEST_DECLARE(stem) extern const TestOperator test_##stem[];
TEST_OP_STEMS (TEST_DECLARE)

/* All files, NULL-terminated. */
extern const TestOperator *const test_operators[];

/* Modes. */
void test_add_checks (void);         /* adds cases, one per row */
void test_add_gradients (void);      /* adds one per row of an operator with a gradient */
void test_add_hostile (void);        /* adds one per operator */
int test_run_vulkan (void);          /* runs all rows on a Vulkan device */
int test_benchmark (const char *op); /* prints times; all operators if NULL */
void test_support (void);            /* prints what each operator has */
