/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's input preprocessing, for people. */
#pragma once

#include "train/preprocess.h"

/* Prints each part with how it is known. */
void tool_proposal_print (const EnsPreprocess *preprocess);
/* One line of that, for what is no part of the preprocessing. */
void tool_proposal_print_line (const char *name, const char *text, const char *reason);
