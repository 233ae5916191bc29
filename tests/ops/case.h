/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row made real: a node with its inputs, and memory around it that notices trespassers. */
#pragma once

#include "harness.h"
#include "text.h"

typedef struct {
  const TestRow *row;
  EnsGraph *graph;
  EnsNode *node;  /* params parsed, outputs not inferred yet */
  GArray *inputs; /* TestTensor, dense */
} TestCase;

/* inputs: row->inputs or row->benchmark. NULL with an error from reading attributes. (transfer
 * full) */
TestCase *test_case_new (const char *op, const TestRow *row, const char *inputs, GError **error);
/* The same of given attributes and inputs (TestTensor), which may be nonsense. (transfer full) */
TestCase *test_case_new_from (const char *op, const TestRow *row, EnsAttributes *attributes,
                              GArray *inputs, GError **error);
/* The same node on other inputs and params, whose shapes are not inferred yet. (transfer full) */
TestCase *test_case_new_with (const TestCase *other, GArray *inputs, gconstpointer params);
void test_case_free (TestCase *test_case);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestCase, test_case_free)

/* Whether plans run op->cpu: output 0, and input 0 if there is one, are float32. */
gboolean test_case_is_fast (const TestCase *test_case);

/* How a run places its tensors. */
typedef struct {
  EnsThreadPool *pool; /* NULL: the reference runs */
  gboolean pitched;    /* gaps between runs of the last dimension */
  int in_place;        /* the input that output 0 overwrites; −1: none */
} TestPlacement;

/* Runs the node once and returns its outputs, dense (EnsTensor). Asserts that nothing was written
 * but outputs and scratch, and that nothing but inputs was read: what surrounds them is NaN.
 * (transfer full) */
GPtrArray *test_case_run (const TestCase *test_case, const TestPlacement *placement);

/* Seconds per run, the least of several. *kernel: the plan's name for it. */
double test_case_time (const TestCase *test_case, EnsThreadPool *pool, const char **kernel);
