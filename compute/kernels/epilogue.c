/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/epilogue.h"

#include <math.h>

#include "kernels/conv-method.h"

/* Values that a task handles: a few microseconds' work. */
#define TASK_VALUES 16384

#define REAL(n) (double)(n)
#define IF_LESS(a, b, y, z) ((a) < (b) ? (y) : (z))
#define MAXIMUM(a, b) fmax (a, b)
#define MINIMUM(a, b) fmin (a, b)
#define UNIT(y) fmin (fmax (y, 0), 1)
#define LOGISTIC(y) (1 / (1 + exp (-(y))))
#define TANH(y) tanh (y)
#define ROUND(y) nearbyint (y)
#define ERF(y) erf (y)
#define EXP(y) exp (y)
#define CASE(upper, name, number, formula, of, derivative) \
  case number:                                             \
    return formula;

double
ens_activation_value (EnsActivation activation, double x, double alpha, double beta)
{
  switch ((guint)activation) {
    ENS_ACTIVATIONS (CASE)
  default:
    return x;
  }
}

EnsFinish
ens_finish_new (const EnsEpilogue *epilogue, float *output, gsize output_pitch)
{
  EnsFinish finish = {
      .output = output, .output_pitch = output_pitch, .low = -INFINITY, .high = INFINITY};

  if (epilogue == NULL)
    return finish;
  finish.bias = epilogue->bias;
  finish.residual = epilogue->residual;
  finish.residual_pitch = epilogue->residual_pitch;
  finish.alpha = epilogue->alpha;
  finish.beta = epilogue->beta;
  switch (epilogue->activation) {
  case ENS_ACTIVATION_NONE:
    break;
  case ENS_ACTIVATION_RELU:
    finish.low = 0;
    break;
  case ENS_ACTIVATION_CLIP:
    finish.low = epilogue->alpha;
    finish.high = epilogue->beta;
    break;
  default:
    finish.curve = epilogue->activation;
  }
  return finish;
}

typedef struct {
  const EnsKernels *kernels;
  const EnsPixelRows *pixels;
  EnsFinish finish;
  guint n_tasks;
} Epilogue;

static void
run_epilogue_task (gpointer data, guint task, guint worker)
{
  const Epilogue *epilogue = data;
  const EnsPixelRows *pixels = epilogue->pixels;
  gsize from = ens_part (pixels->pixels, epilogue->n_tasks, task);
  gsize to = ens_part (pixels->pixels, epilogue->n_tasks, task + 1);
  EnsFinish finish = ens_finish_at (&epilogue->finish, from, 0);

  epilogue->kernels->finish (pixels->input + from * pixels->input_pitch, pixels->input_pitch,
                             to - from, pixels->channels, &finish);
}

void
ens_epilogue_run (const EnsKernels *kernels, const EnsPixelRows *pixels,
                  const EnsEpilogue *epilogue, EnsThreadPool *pool)
{
  gsize n_tasks = ens_divide_up (pixels->pixels * pixels->channels, TASK_VALUES);
  Epilogue data = {
      .kernels = kernels,
      .pixels = pixels,
      .finish = ens_finish_new (epilogue, pixels->output, pixels->output_pitch),
      .n_tasks = MIN (n_tasks, pixels->pixels),
  };

  ens_thread_pool_run (pool, data.n_tasks, run_epilogue_task, &data);
}
