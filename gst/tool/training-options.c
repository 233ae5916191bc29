/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "training-options.h"

#include <math.h>

enum { SGD, ADAMW };

static gboolean
check (const ToolTraining *options, GError **error)
{
  if (options->output == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--output=FILE.onnx is needed: the network to write");
    return FALSE;
  }
  return (options->epochs == G_MININT || tool_check_least ("--epochs", options->epochs, 1, error))
         && (options->batch == G_MININT
             || tool_check_least ("--batch-size", options->batch, 1, error))
         && tool_check_least ("--learning-rate", options->rate, 0, error)
         && tool_check_least ("--average", options->average, 0, error)
         && tool_check_least ("--patience", options->patience, 0, error)
         && tool_check_least ("--seed", options->seed, 0, error)
         && tool_check_least ("--memory", options->memory, 0, error);
}

static gboolean
set_optimiser (const ToolTraining *options, EnsLoopParams *loop, GError **error)
{
  static const char *const names[] = {"sgd", "adamw", NULL};
  guint optimiser = loop->optimiser.kind == ENS_OPTIMISER_SGD ? SGD : ADAMW, chosen = optimiser;

  if (!tool_parse_choice ("--optimiser", options->optimiser, names, &chosen, error))
    return FALSE;
  if (chosen != optimiser)
    loop->optimiser = chosen == SGD ? ENS_RECIPE_SGD (loop->optimiser.decay)
                                    : ENS_RECIPE_ADAMW (loop->optimiser.decay);
  return TRUE;
}

gboolean
tool_training_set (const ToolTraining *options, const char *dataset, EnsRecipeParams *params,
                   GError **error)
{
  if (!check (options, error) || !set_optimiser (options, &params->loop, error))
    return FALSE;
  params->dataset = dataset;
  params->output = options->output;
  params->seed = (guint64)options->seed;
  params->memory_limit = (gsize)options->memory << 20;
  params->loop.average = options->average;
  params->loop.patience = (guint)options->patience;
  params->loop.resume = options->resume;
  if (options->epochs > 0)
    params->loop.n_epochs = (guint)options->epochs;
  if (options->batch > 0)
    params->batch = (guint)options->batch;
  if (options->rate > 0)
    params->loop.rate = options->rate;
  return TRUE;
}

EnsDevice *
tool_training_open_device (const ToolTraining *options, GError **error)
{
  return tool_open_device (options->device, options->threads, error);
}

void
tool_training_print (const EnsRecipeParams *params, const EnsRecipeResult *result)
{
  const EnsLoopResult *loop = &result->loop;

  g_print ("best of %u epochs%s: %u; validation: loss %.4f", loop->n_epochs,
           loop->early ? " (stopped early)" : "", loop->best_epoch + 1, loop->best.loss);
  if (isfinite (loop->best.accuracy))
    g_print (", accuracy %.1f %%", 100 * loop->best.accuracy);
  g_print ("\n\n%s\n", params->output);
}
