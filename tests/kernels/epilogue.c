/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every activation, with and without bias and residual, beside libm in double precision. */
#include "kernels/epilogue.h"

#include <math.h>

#include "support.h"

static const guint channel_counts[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 64, 67};

typedef struct {
  gsize pixels, pitch, output_pitch;
  guint channels;
  const float *input;
} Sample;

/* Values from −20 to 20, so that curves are followed into saturation. */
static void
fill (GRand *random, float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = isnan (values[i]) ? NAN : g_rand_double_range (random, -20, 20);
}

static void
check (const EnsKernels *kernels, const Sample *sample, const EnsEpilogue *epilogue, guint threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  g_autofree float *output = test_output_new (sample->pixels, sample->output_pitch);
  EnsPixelRows pixels = {sample->pixels, sample->channels, sample->input,
                         sample->pitch,  output,           sample->output_pitch};

  ens_epilogue_run (kernels, &pixels, epilogue, pool);
  for (gsize p = 0; p < sample->pixels; p++)
    for (guint c = 0; c < sample->channels; c++) {
      double x = sample->input[p * sample->pitch + c];
      double magnitude = fabs (x) + 2, want, got = output[p * sample->output_pitch + c];

      if (epilogue->bias != NULL)
        x += epilogue->bias[c];
      if (epilogue->residual != NULL)
        x += epilogue->residual[p * epilogue->residual_pitch + c];
      want = test_activation (epilogue, x);
      if (!(fabs (got - want) <= 4e-7 * fabs (want) + 1e-7 * magnitude))
        ck_abort_msg ("activation %u of %g is %g, not %g", epilogue->activation, x, got, want);
    }
  test_assert_gaps (output, sample->pixels, sample->channels, sample->output_pitch);
}

/* What formulas give, worked out by hand. */
static const struct {
  EnsActivation activation;
  double x, alpha, beta, y;
} values[] = {
    {ENS_ACTIVATION_NONE, -3, 0, 0, -3},
    {ENS_ACTIVATION_RELU, -3, 0, 0, 0},
    {ENS_ACTIVATION_CLIP, 7, 1, 6, 6},
    {ENS_ACTIVATION_LEAKY_RELU, -3, .5, 0, -1.5},
    {ENS_ACTIVATION_SIGMOID, 0, 0, 0, .5},
    {ENS_ACTIVATION_HARD_SIGMOID, .5, .25, .5, .625},
    {ENS_ACTIVATION_HARD_SWISH, 1, 0, 0, 2 / 3.0},
    {ENS_ACTIVATION_SWISH, 1, 1, 0, .7310585786300049},
    {ENS_ACTIVATION_TANH, 1, 0, 0, .7615941559557649},
    {ENS_ACTIVATION_ERF, .5, 0, 0, .5204998778130465},
    {ENS_ACTIVATION_GELU, 1, 0, 0, .8413447460685429},
    {ENS_ACTIVATION_GELU_TANH, 1, 0, 0, .8411919906082768},
    {ENS_ACTIVATION_MISH, 1, 0, 0, .8650983882673103},
    {ENS_ACTIVATION_FAKE_QUANTIZE, 1.3, .5, -3, 1.5},
};

START_TEST (test_values)
{
  gboolean known[ENS_N_ACTIVATIONS] = {FALSE};

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    double y =
        ens_activation_value (values[i].activation, values[i].x, values[i].alpha, values[i].beta);

    ck_assert_double_eq_tol (y, values[i].y, 1e-15);
    known[values[i].activation] = TRUE;
  }
  for (EnsActivation a = 0; a < ENS_N_ACTIVATIONS; a++)
    ck_assert_msg (known[a], "activation %u has no row", a);
}
END_TEST

START_TEST (test_activations)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (channel_counts); i++) {
    guint channels = channel_counts[i];
    g_autofree float *input = test_pixels_new (random, 50, channels, channels + 3);
    g_autofree float *bias = test_random (random, channels);
    g_autofree float *residual = test_pixels_new (random, 50, channels, channels + 1);
    Sample sample = {50, channels + 3, channels + 2, channels, input};

    fill (random, input, 49 * (channels + 3) + channels);
    for (EnsActivation a = 0; a < ENS_N_ACTIVATIONS; a++)
      for (guint options = 0; options < 4; options++) {
        EnsEpilogue epilogue = {
            .bias = options & 1 ? bias : NULL,
            .residual = options & 2 ? residual : NULL,
            .residual_pitch = channels + 1,
            .activation = a,
            .alpha = a == ENS_ACTIVATION_CLIP ? -1.f : .2f,
            .beta = a == ENS_ACTIVATION_CLIP ? 6.f : .5f,
        };

        check (kernels, &sample, &epilogue, 1 + options % 3);
      }
  }
}
END_TEST

static float
apply (const EnsKernels *kernels, EnsActivation activation, float x, EnsThreadPool *pool)
{
  EnsEpilogue epilogue = {.activation = activation};
  float y;
  EnsPixelRows pixels = {1, 1, &x, 1, &y, 1};

  ens_epilogue_run (kernels, &pixels, &epilogue, pool);
  return y;
}

/* Relative accuracy near 0, where 1 − 2 / (1 + exp (2x)) has none. */
START_TEST (test_small_arguments)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (float x = 1e-20f; x < 1; x *= 1.7f) {
    ck_assert_double_eq_tol (apply (kernels, ENS_ACTIVATION_TANH, x, pool) / tanh (x), 1, 4e-7);
    ck_assert_double_eq_tol (apply (kernels, ENS_ACTIVATION_ERF, x, pool) / erf (x), 1, 1.6e-7);
  }
}
END_TEST

/* erf () to 1.6e-7 of its value everywhere, and odd. */
START_TEST (test_erf)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (float x = 1e-3f; x < 7; x *= 1.003f) {
    float y = apply (kernels, ENS_ACTIVATION_ERF, x, pool);

    ck_assert_double_eq_tol (y / erf (x), 1, 1.6e-7);
    ck_assert (apply (kernels, ENS_ACTIVATION_ERF, -x, pool) == -y);
  }
  ck_assert (apply (kernels, ENS_ACTIVATION_ERF, INFINITY, pool) == 1);
}
END_TEST

START_TEST (test_not_a_number)
{
  const EnsKernels *kernels = ens_kernels_get_level ((guint)_i);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (EnsActivation a = 0; a < ENS_N_ACTIVATIONS; a++)
    for (guint channels = 1; channels <= 16; channels += 15) {
      EnsEpilogue epilogue = {.activation = a, .alpha = .1f, .beta = .5f};
      float x[16], y[16] = {0};
      EnsPixelRows pixels = {1, channels, x, 16, y, 16};

      for (guint i = 0; i < 16; i++)
        x[i] = NAN;
      ens_epilogue_run (kernels, &pixels, &epilogue, pool);
      for (guint i = 0; i < channels; i++)
        ck_assert (isnan (y[i]));
    }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels");
  test_add ("epilogue/values", test_values);
  test_add_levels ("epilogue/activations", test_activations);
  test_add_levels ("epilogue/small-arguments", test_small_arguments);
  test_add_levels ("epilogue/erf", test_erf);
  test_add_levels ("epilogue/not-a-number", test_not_a_number);
  return test_run ();
}
