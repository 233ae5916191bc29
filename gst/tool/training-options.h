/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of the commands that train networks, and what they print.
 *
 * The struct of a command's options has a member `training`, set to TOOL_TRAINING_DEFAULTS, and its
 * table of options begins with its own and TOOL_TRAINING_OPTIONS. What is not given stays as the
 * recipe's parameters have it. */
#pragma once

#include "tool.h"
#include "train/recipe.h"

typedef struct {
  char *output, *optimiser, *device;
  gint epochs, batch, patience, seed, memory, threads;
  double rate, average;
  gboolean resume;
} ToolTraining;

/* Not given. */
#define TOOL_TRAINING_DEFAULTS             \
  {                                        \
    .epochs = G_MININT, .batch = G_MININT, \
  }

#define TOOL_TRAINING_MEMBER(type, name) G_STRUCT_OFFSET (type, training.name)

/* Rows of a table of options; a comma follows. The recipe's defaults are texts. */
/* clang-format off */
/* What every recipe has. */
#define TOOL_TRAINING_COMMON_OPTIONS(type, epochs_, rate_, batch_)                               \
  {"output", 'o', G_OPTION_ARG_FILENAME,                                                         \
   TOOL_TRAINING_MEMBER (type, output), "FILE.onnx", "The network to write", "*.onnx"},          \
  {"epochs", 'e', G_OPTION_ARG_INT,                                                              \
   TOOL_TRAINING_MEMBER (type, epochs), "N", "Times that all pictures are gone through (" epochs_ ")"},\
  {"batch-size", 'b', G_OPTION_ARG_INT,                                                          \
   TOOL_TRAINING_MEMBER (type, batch), "N", "Samples in a step (" batch_ ")"},                   \
  {"learning-rate", 0, G_OPTION_ARG_DOUBLE,                                                      \
   TOOL_TRAINING_MEMBER (type, rate), "RATE", "The largest one (" rate_ ")"},                    \
  {"seed", 0, G_OPTION_ARG_INT,                                                                  \
   TOOL_TRAINING_MEMBER (type, seed), "N", "Of all that is random (0)"},                         \
  {"resume", 0, G_OPTION_ARG_NONE,                                                               \
   TOOL_TRAINING_MEMBER (type, resume), NULL, "Continue a training that was stopped or killed"}, \
  {"device", 'd', G_OPTION_ARG_STRING,                                                           \
   TOOL_TRAINING_MEMBER (type, device), "DEVICE", TOOL_DEVICE_SUMMARY, TOOL_DEVICE_COMPLETIONS}, \
  {"threads", 't', G_OPTION_ARG_INT,                                                             \
   TOOL_TRAINING_MEMBER (type, threads), "N", TOOL_THREADS_SUMMARY}
/* The same of those that choose their best epoch, by any optimiser. */
#define TOOL_TRAINING_OPTIONS(type, epochs_, rate_, optimiser_, batch_)                          \
  TOOL_TRAINING_COMMON_OPTIONS (type, epochs_, rate_, batch_),                                   \
  {"optimiser", 0, G_OPTION_ARG_STRING,                                                          \
   TOOL_TRAINING_MEMBER (type, optimiser), "NAME", "sgd or adamw (" optimiser_ ")", "sgd adamw"},\
  {"average", 0, G_OPTION_ARG_DOUBLE,                                                            \
   TOOL_TRAINING_MEMBER (type, average), "DECAY", "Moving average of weights, such as 0.99 (0: none)"},\
  {"patience", 0, G_OPTION_ARG_INT,                                                              \
   TOOL_TRAINING_MEMBER (type, patience), "N", "End after N epochs without a better one (0: never)"},\
  {"memory", 0, G_OPTION_ARG_INT,                                                                \
   TOOL_TRAINING_MEMBER (type, memory), "MIB", "Limit of a step's intermediate values (0: none)"}
/* clang-format on */

/* Sets what was given, the data set and the output. */
gboolean tool_training_set (const ToolTraining *options, const char *dataset,
                            EnsRecipeParams *params, GError **error);
/* The device of the options. (transfer full) */
EnsDevice *tool_training_open_device (const ToolTraining *options, GError **error);
/* Which epoch was the best and how good, and the output. */
void tool_training_print (const EnsRecipeParams *params, const EnsRecipeResult *result);
