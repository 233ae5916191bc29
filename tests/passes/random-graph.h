/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graphs that executors are tried with, and their results compared. */
#pragma once

#include "build.h"

/* Two inputs, some twenty nodes, three outputs; all shapes known. Another one for each seed. */
void build_random_graph (Builder *builder);

/* Fails the test, with the graph as text, if outputs (EnsTensor) differ by more than rounding. */
void assert_outputs (const EnsGraph *graph, const GPtrArray *found, const GPtrArray *expected);
