/* An evaluation as tables of text. */
#pragma once

#include "ensemble/evaluate.h"

void tool_evaluation_print (const EnsEvaluation *evaluation);
