/* An evaluation as tables of text. */
#pragma once

#include "train/evaluate.h"

void tool_evaluation_print (const EnsEvaluation *evaluation);
