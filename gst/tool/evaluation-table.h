/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An evaluation as tables of text. */
#pragma once

#include "train/evaluate.h"

void tool_evaluation_print (const EnsEvaluation *evaluation);
