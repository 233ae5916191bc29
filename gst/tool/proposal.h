/* What a network's images should look like, for people. */
#pragma once

#include "train/preprocess.h"

/* Prints each part with how it is known. */
void tool_proposal_print (const EnsPreprocess *preprocess);
