/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times every convolution and fully connected layer of five networks at 224×224, and prints
 * GFLOP/s (of the definition, whatever the algorithm saves) and the share of the measured peak.
 *
 *   benchmark [--network=NAME] [--batch=N] [--threads=N] [--level=NAME] [--algorithms] [--cold]
 *
 * With --algorithms every algorithm that can compute a layer is timed, the chosen one marked *.
 * With
 * --cold the weights come from main memory each time, as they do in a whole network. Time is the
 * thread's own with one thread, so that a busy machine disturbs it less, and elapsed with more. */
#include "kernels/conv.h"
#include "kernels/peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than last-level caches hold. */
#define COLD_FLOATS (16 << 20)
#define MAX_COPIES 1000

typedef struct {
  const char *network;
  guint size; /* height and width of the input */
  guint channels, filters, kernel, stride, pad, groups;
  guint count; /* layers of this shape */
} Layer;

/* clang-format off */
static const Layer layers[] = {
  {"resnet18", 224, 3, 64, 7, 2, 3, 1, 1}, {"resnet18", 56, 64, 64, 3, 1, 1, 1, 4},
  {"resnet18", 56, 64, 128, 3, 2, 1, 1, 1}, {"resnet18", 56, 64, 128, 1, 2, 0, 1, 1},
  {"resnet18", 28, 128, 128, 3, 1, 1, 1, 3}, {"resnet18", 28, 128, 256, 3, 2, 1, 1, 1},
  {"resnet18", 28, 128, 256, 1, 2, 0, 1, 1}, {"resnet18", 14, 256, 256, 3, 1, 1, 1, 3},
  {"resnet18", 14, 256, 512, 3, 2, 1, 1, 1}, {"resnet18", 14, 256, 512, 1, 2, 0, 1, 1},
  {"resnet18", 7, 512, 512, 3, 1, 1, 1, 3}, {"resnet18", 1, 512, 1000, 1, 1, 0, 1, 1},

  {"resnet50", 224, 3, 64, 7, 2, 3, 1, 1}, {"resnet50", 56, 64, 64, 1, 1, 0, 1, 1},
  {"resnet50", 56, 64, 64, 3, 1, 1, 1, 3}, {"resnet50", 56, 64, 256, 1, 1, 0, 1, 4},
  {"resnet50", 56, 256, 64, 1, 1, 0, 1, 2}, {"resnet50", 56, 256, 128, 1, 1, 0, 1, 1},
  {"resnet50", 56, 128, 128, 3, 2, 1, 1, 1}, {"resnet50", 28, 128, 512, 1, 1, 0, 1, 4},
  {"resnet50", 56, 256, 512, 1, 2, 0, 1, 1}, {"resnet50", 28, 512, 128, 1, 1, 0, 1, 3},
  {"resnet50", 28, 128, 128, 3, 1, 1, 1, 3}, {"resnet50", 28, 512, 256, 1, 1, 0, 1, 1},
  {"resnet50", 28, 256, 256, 3, 2, 1, 1, 1}, {"resnet50", 14, 256, 1024, 1, 1, 0, 1, 6},
  {"resnet50", 28, 512, 1024, 1, 2, 0, 1, 1}, {"resnet50", 14, 1024, 256, 1, 1, 0, 1, 5},
  {"resnet50", 14, 256, 256, 3, 1, 1, 1, 5}, {"resnet50", 14, 1024, 512, 1, 1, 0, 1, 1},
  {"resnet50", 14, 512, 512, 3, 2, 1, 1, 1}, {"resnet50", 7, 512, 2048, 1, 1, 0, 1, 3},
  {"resnet50", 14, 1024, 2048, 1, 2, 0, 1, 1}, {"resnet50", 7, 2048, 512, 1, 1, 0, 1, 2},
  {"resnet50", 7, 512, 512, 3, 1, 1, 1, 2}, {"resnet50", 1, 2048, 1000, 1, 1, 0, 1, 1},

  {"vgg16", 224, 3, 64, 3, 1, 1, 1, 1}, {"vgg16", 224, 64, 64, 3, 1, 1, 1, 1},
  {"vgg16", 112, 64, 128, 3, 1, 1, 1, 1}, {"vgg16", 112, 128, 128, 3, 1, 1, 1, 1},
  {"vgg16", 56, 128, 256, 3, 1, 1, 1, 1}, {"vgg16", 56, 256, 256, 3, 1, 1, 1, 2},
  {"vgg16", 28, 256, 512, 3, 1, 1, 1, 1}, {"vgg16", 28, 512, 512, 3, 1, 1, 1, 2},
  {"vgg16", 14, 512, 512, 3, 1, 1, 1, 3}, {"vgg16", 1, 25088, 4096, 1, 1, 0, 1, 1},
  {"vgg16", 1, 4096, 4096, 1, 1, 0, 1, 1}, {"vgg16", 1, 4096, 1000, 1, 1, 0, 1, 1},

  {"squeezenet", 224, 3, 64, 3, 2, 0, 1, 1}, {"squeezenet", 55, 64, 16, 1, 1, 0, 1, 1},
  {"squeezenet", 55, 128, 16, 1, 1, 0, 1, 1}, {"squeezenet", 55, 16, 64, 1, 1, 0, 1, 2},
  {"squeezenet", 55, 16, 64, 3, 1, 1, 1, 2}, {"squeezenet", 27, 128, 32, 1, 1, 0, 1, 1},
  {"squeezenet", 27, 256, 32, 1, 1, 0, 1, 1}, {"squeezenet", 27, 32, 128, 1, 1, 0, 1, 2},
  {"squeezenet", 27, 32, 128, 3, 1, 1, 1, 2}, {"squeezenet", 13, 256, 48, 1, 1, 0, 1, 1},
  {"squeezenet", 13, 384, 48, 1, 1, 0, 1, 1}, {"squeezenet", 13, 48, 192, 1, 1, 0, 1, 2},
  {"squeezenet", 13, 48, 192, 3, 1, 1, 1, 2}, {"squeezenet", 13, 384, 64, 1, 1, 0, 1, 1},
  {"squeezenet", 13, 512, 64, 1, 1, 0, 1, 1}, {"squeezenet", 13, 64, 256, 1, 1, 0, 1, 2},
  {"squeezenet", 13, 64, 256, 3, 1, 1, 1, 2}, {"squeezenet", 13, 512, 1000, 1, 1, 0, 1, 1},

  {"mobilenet", 224, 3, 32, 3, 2, 1, 1, 1}, {"mobilenet", 112, 32, 32, 3, 1, 1, 32, 1},
  {"mobilenet", 112, 32, 16, 1, 1, 0, 1, 1}, {"mobilenet", 112, 16, 96, 1, 1, 0, 1, 1},
  {"mobilenet", 112, 96, 96, 3, 2, 1, 96, 1}, {"mobilenet", 56, 96, 24, 1, 1, 0, 1, 1},
  {"mobilenet", 56, 24, 144, 1, 1, 0, 1, 2}, {"mobilenet", 56, 144, 144, 3, 1, 1, 144, 1},
  {"mobilenet", 56, 144, 24, 1, 1, 0, 1, 1}, {"mobilenet", 56, 144, 144, 3, 2, 1, 144, 1},
  {"mobilenet", 28, 144, 32, 1, 1, 0, 1, 1}, {"mobilenet", 28, 32, 192, 1, 1, 0, 1, 3},
  {"mobilenet", 28, 192, 192, 3, 1, 1, 192, 2}, {"mobilenet", 28, 192, 32, 1, 1, 0, 1, 2},
  {"mobilenet", 28, 192, 192, 3, 2, 1, 192, 1}, {"mobilenet", 14, 192, 64, 1, 1, 0, 1, 1},
  {"mobilenet", 14, 64, 384, 1, 1, 0, 1, 4}, {"mobilenet", 14, 384, 384, 3, 1, 1, 384, 4},
  {"mobilenet", 14, 384, 64, 1, 1, 0, 1, 3}, {"mobilenet", 14, 384, 96, 1, 1, 0, 1, 1},
  {"mobilenet", 14, 96, 576, 1, 1, 0, 1, 3}, {"mobilenet", 14, 576, 576, 3, 1, 1, 576, 2},
  {"mobilenet", 14, 576, 96, 1, 1, 0, 1, 2}, {"mobilenet", 14, 576, 576, 3, 2, 1, 576, 1},
  {"mobilenet", 7, 576, 160, 1, 1, 0, 1, 1}, {"mobilenet", 7, 160, 960, 1, 1, 0, 1, 3},
  {"mobilenet", 7, 960, 960, 3, 1, 1, 960, 3}, {"mobilenet", 7, 960, 160, 1, 1, 0, 1, 2},
  {"mobilenet", 7, 960, 320, 1, 1, 0, 1, 1}, {"mobilenet", 7, 320, 1280, 1, 1, 0, 1, 1},
  {"mobilenet", 1, 1280, 1000, 1, 1, 0, 1, 1},
};
/* clang-format on */

static char *network;
static int batch = 1, threads = 1;
static char *level;
static gboolean all_algorithms, cold;

static const GOptionEntry options[] = {
    {"network", 0, 0, G_OPTION_ARG_STRING, &network, "Only this network", "NAME"},
    {"batch", 0, 0, G_OPTION_ARG_INT, &batch, "Images at a time", "N"},
    {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads", "N"},
    {"level", 0, 0, G_OPTION_ARG_STRING, &level, "Instruction set level", "NAME"},
    {"algorithms", 0, 0, G_OPTION_ARG_NONE, &all_algorithms, "Time every algorithm", NULL},
    {"cold", 0, 0, G_OPTION_ARG_NONE, &cold, "Read weights from main memory", NULL},
    {NULL},
};

static float *
buffer_new (gsize n)
{
  float *buffer = aligned_alloc (64, (n * sizeof (float) + 64) / 64 * 64);

  for (gsize i = 0; i < n; i++)
    buffer[i] = (float)(i % 17) * .01f - .08f;
  return buffer;
}

static EnsConvShape
shape_of (const Layer *layer)
{
  return (EnsConvShape) {
      .batch = batch,
      .height = layer->size,
      .width = layer->size,
      .channels = layer->channels,
      .filters = layer->filters,
      .kernel_height = layer->kernel,
      .kernel_width = layer->kernel,
      .stride_y = layer->stride,
      .stride_x = layer->stride,
      .dilation_y = 1,
      .dilation_x = 1,
      .pad_top = layer->pad,
      .pad_left = layer->pad,
      .pad_bottom = layer->pad,
      .pad_right = layer->pad,
      .groups = layer->groups,
  };
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Seconds of the best of several runs; of the mean if each has other weights. */
static double
time_runs (const EnsConvPlan *plan, EnsConvArguments arguments, const float *packed, guint copies,
           EnsThreadPool *pool)
{
  double best = G_MAXDOUBLE, total = 0;
  guint n = 0;

  for (; n < MAX (4, copies) || total < .06; n++) {
    double start = now (), seconds;

    arguments.packed = packed + n % copies * plan->packed_size;
    ens_conv_run (plan, &arguments, pool);
    seconds = now () - start;
    best = MIN (best, seconds);
    total += seconds;
  }
  return copies > 1 ? total / n : best;
}

static double
time_plan (const EnsConvPlan *plan, EnsThreadPool *pool)
{
  const EnsConvShape *s = &plan->shape;
  gsize pixels = (gsize)s->batch * ens_conv_output_height (s) * ens_conv_output_width (s);
  float *weights =
      buffer_new ((gsize)s->filters * s->kernel_height * s->kernel_width * s->channels / s->groups);
  guint copies = cold ? CLAMP (COLD_FLOATS / plan->packed_size, 2, MAX_COPIES) : 1;
  float *bias = buffer_new (s->filters), *packed = buffer_new (copies * plan->packed_size);
  EnsEpilogue epilogue = {.bias = bias, .activation = ENS_ACTIVATION_RELU};
  EnsConvArguments arguments = {
      .input = buffer_new ((gsize)s->batch * s->height * s->width * s->channels),
      .input_pitch = s->channels,
      .output = buffer_new (pixels * s->filters),
      .output_pitch = s->filters,
      .epilogue = &epilogue,
      .scratch = buffer_new (plan->scratch_size),
  };
  EnsConvWeights of_shape = ens_conv_weights (s, weights);
  double seconds;

  for (guint i = 0; i < copies; i++)
    ens_conv_pack (plan, &of_shape, packed + i * plan->packed_size, pool);
  seconds = time_runs (plan, arguments, packed, copies, pool);
  free (weights);
  free (bias);
  free (packed);
  free ((float *)arguments.input);
  free (arguments.output);
  free (arguments.scratch);
  return seconds;
}

static void
print_layer (const Layer *layer, const EnsConvPlan *plan, double seconds, double peak, char mark)
{
  double flops = ens_conv_flops (&plan->shape);

  printf ("%-10s %3u² %5u → %4u  %u×%u/%u %-12s%c ×%u %9.3f ms %7.1f GFLOP/s %4.0f %%\n",
          layer->network, layer->size, layer->channels, layer->filters, layer->kernel,
          layer->kernel, layer->stride, ens_conv_algorithm_name (plan->algorithm), mark,
          layer->count, seconds * 1e3, flops / seconds * 1e-9, flops / seconds * 1e-7 / peak);
}

/* Seconds of the algorithm chosen. */
static double
time_layer (const Layer *layer, const EnsKernels *kernels, EnsThreadPool *pool, double peak)
{
  EnsConvShape shape = shape_of (layer);
  EnsConvPlan chosen, plan;
  double seconds;

  ens_conv_plan (&chosen, &shape, kernels, threads);
  seconds = time_plan (&chosen, pool);
  print_layer (layer, &chosen, seconds, peak, all_algorithms ? '*' : ' ');
  for (EnsConvAlgorithm a = 0; all_algorithms && a < ENS_N_CONV_ALGORITHMS; a++)
    if (a != chosen.algorithm && ens_conv_plan_algorithm (&plan, &shape, a, kernels, threads))
      print_layer (layer, &plan, time_plan (&plan, pool), peak, ' ');
  return seconds;
}

static const EnsKernels *
find_level (void)
{
  const EnsKernels *kernels;

  for (guint i = 0; level != NULL && (kernels = ens_kernels_get_level (i)) != NULL; i++)
    if (strcmp (ens_kernels_name (kernels), level) == 0)
      return kernels;
  return ens_kernels_get ();
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("— time layers of known networks");
  g_autoptr (GError) error = NULL;
  double total = 0, flops = 0, peak;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (threads);
  const EnsKernels *kernels = find_level ();

  peak = ens_peak_gflops (kernels, pool);
  printf ("level %s, batch %d, threads %d, peak %.1f GFLOP/s\n", ens_kernels_name (kernels), batch,
          threads, peak);
  for (guint i = 0; i < G_N_ELEMENTS (layers); i++) {
    EnsConvShape shape = shape_of (&layers[i]);

    if (network != NULL && strcmp (network, layers[i].network) != 0)
      continue;
    total += layers[i].count * time_layer (&layers[i], kernels, pool, peak);
    flops += layers[i].count * ens_conv_flops (&shape);
    if (i + 1 == G_N_ELEMENTS (layers) || strcmp (layers[i].network, layers[i + 1].network) != 0) {
      printf ("%-10s %.3f ms, %.1f images/s, %.1f GFLOP/s, %.0f %% of peak\n\n", layers[i].network,
              total * 1e3, batch / total, flops / total * 1e-9, flops / total * 1e-7 / peak);
      total = flops = 0;
    }
  }
  return 0;
}
