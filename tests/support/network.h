/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that tests have written. */
#pragma once

#include "graph/graph.h"

/* Reads an ONNX file, which has to be readable. (transfer full) */
EnsGraph *test_network_read (const char *path);

/* Writes FOLDER/no-input.onnx, a network that takes nothing and gives one number. (transfer full)
 * its path. */
char *test_network_write_no_input (const char *folder);
