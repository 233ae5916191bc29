/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "networks/style.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "train/train-style-private.h"

const char *const ens_style_terms[] = {"adversarial_ab",  "adversarial_ba",  "cycle_a",
                                       "cycle_b",         "identity_a",      "identity_b",
                                       "discriminator_a", "discriminator_b", NULL};
const char *const ens_style_generator_outputs[] = {
    "style/adapted_a",      "style/adapted_b",  "style/adversarial_ab",
    "style/adversarial_ba", "style/cycle_a",    "style/cycle_b",
    "style/identity_a",     "style/identity_b", NULL};
const char *const ens_style_discriminator_outputs[] = {"style/discriminator_a",
                                                       "style/discriminator_b", NULL};

static const EnsBinaryParams binary = {.activation = {ENS_ACTIVATION_NONE}};

static EnsValue *
add_pictures (EnsGraph *graph, const char *name)
{
  return ens_graph_add_input (graph, name, ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3));
}

/* The outputs of a network that is applied to x. */
typedef struct {
  EnsValue *first, *second;
} Outputs;

static Outputs
apply (EnsGraph *graph, const EnsGraph *part, const char *prefix, EnsValue *x)
{
  g_autoptr (GPtrArray) values = ens_graph_embed (graph, part, prefix, &x);
  Outputs outputs = {NULL, NULL};

  outputs.first = values->pdata[((const EnsValue *)part->outputs->pdata[0])->index];
  if (part->outputs->len > 1)
    outputs.second = values->pdata[((const EnsValue *)part->outputs->pdata[1])->index];
  return outputs;
}

static EnsValue *
combine (EnsGraph *graph, const EnsOp *op, EnsValue *a, EnsValue *b)
{
  return ens_graph_apply (graph, op, &binary, a, b, NULL);
}

static EnsValue *
add_number (EnsGraph *graph, float value)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &value);

  return ens_graph_add_constant (graph, "number", tensor);
}

/* -- steps -- */

/* The parts of both steps' graphs. */
typedef struct {
  const EnsStyleTraining *params;
  const EnsGraph *features, *ab, *ba, *judge_a, *judge_b;
} Networks;

static EnsValue *
judge (const Networks *networks, EnsGraph *graph, gboolean b, EnsValue *pictures, gboolean real)
{
  EnsValue *features = apply (graph, networks->features, "f", pictures).first;
  EnsValue *scores = b ? apply (graph, networks->judge_b, "db", features).first
                       : apply (graph, networks->judge_a, "da", features).first;

  return ens_loss_adversarial (graph, networks->params->adversarial, scores, real);
}

/* mean |x + y| */
static EnsValue *
measure_sum (EnsGraph *graph, EnsValue *x, EnsValue *y)
{
  return ens_loss_absolute_error (graph, combine (graph, &ens_op_add, x, y), NULL, NULL);
}

static void
add_outputs (EnsGraph *graph, const char *const *names, EnsValue *const *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    ens_graph_rename (graph, values[i], names[i]);
    ens_graph_add_output (graph, values[i]);
  }
}

/* Adds the terms up. */
static void
add_loss (EnsGraph *graph, EnsValue *const *terms, const double *factors, guint n)
{
  EnsValue *loss = NULL;

  for (guint i = 0; i < n; i++)
    loss = ens_loss_add (graph, loss, factors[i], terms[i]);
  ens_graph_rename (graph, loss, ENS_STYLE_LOSS);
  ens_graph_add_output (graph, loss);
}

static void
add_identity (const Networks *networks, EnsGraph *graph, EnsValue *a, EnsValue *b, EnsValue **terms)
{
  EnsValue *same_a = apply (graph, networks->ba, "ba", a).second;
  EnsValue *same_b = apply (graph, networks->ab, "ab", b).second;

  terms[0] = ens_loss_absolute_error (graph, same_a, NULL, NULL);
  terms[1] = ens_loss_absolute_error (graph, same_b, NULL, NULL);
}

static EnsGraph *
build_generators (const Networks *networks, guint n_terms)
{
  const EnsStyleTraining *params = networks->params;
  const double factors[] = {1, 1, params->cycle, params->cycle, params->identity, params->identity};
  EnsGraph *graph = ens_graph_new ("style generators");
  EnsValue *a = add_pictures (graph, "a"), *b = add_pictures (graph, "b"), *values[8];
  Outputs to_b = apply (graph, networks->ab, "ab", a), to_a = apply (graph, networks->ba, "ba", b);

  values[0] = to_b.first;
  values[1] = to_a.first;
  values[2] = judge (networks, graph, TRUE, to_b.first, TRUE);
  values[3] = judge (networks, graph, FALSE, to_a.first, TRUE);
  values[4] =
      measure_sum (graph, to_b.second, apply (graph, networks->ba, "ba", to_b.first).second);
  values[5] =
      measure_sum (graph, to_a.second, apply (graph, networks->ab, "ab", to_a.first).second);
  if (n_terms > 4)
    add_identity (networks, graph, a, b, values + 6);
  add_outputs (graph, ens_style_generator_outputs, values, 2 + n_terms);
  add_loss (graph, values + 2, factors, n_terms);
  return graph;
}

/* What one discriminator loses. */
static EnsValue *
build_discriminator (const Networks *networks, EnsGraph *graph, gboolean b, EnsValue *pictures,
                     EnsValue *adapted)
{
  EnsValue *loss = judge (networks, graph, b, pictures, TRUE);

  loss = ens_loss_add (graph, loss, 1, judge (networks, graph, b, adapted, FALSE));
  return ens_loss_add (graph, NULL, 0.5, loss);
}

static EnsGraph *
build_discriminators (const Networks *networks)
{
  static const double factors[] = {1, 1};
  EnsGraph *graph = ens_graph_new ("style discriminators");
  EnsValue *a = add_pictures (graph, "a"), *b = add_pictures (graph, "b");
  EnsValue *adapted_a = add_pictures (graph, "adapted_a");
  EnsValue *adapted_b = add_pictures (graph, "adapted_b"), *terms[2];

  terms[0] = build_discriminator (networks, graph, FALSE, a, adapted_b);
  terms[1] = build_discriminator (networks, graph, TRUE, b, adapted_a);
  add_outputs (graph, ens_style_discriminator_outputs, terms, G_N_ELEMENTS (terms));
  add_loss (graph, terms, factors, G_N_ELEMENTS (factors));
  return graph;
}

void
ens_style_graphs_init (EnsStyleGraphs *graphs, EnsGraph *features, guint n_features,
                       const EnsStyleColours colours[2], const EnsStyleTraining *params)
{
  const guint64 seed = 4 * params->recipe.seed;
  EnsStyleParams generator = {
      .colours = colours[1], .position = params->position, .seed = seed + 1};
  g_autoptr (EnsGraph) ba = ens_style_generator_new (&generator);
  g_autoptr (EnsGraph) judge_a = ens_style_discriminator_new (n_features, seed + 2);
  g_autoptr (EnsGraph) judge_b = ens_style_discriminator_new (n_features, seed + 3);
  Networks networks = {params, features, NULL, ba, judge_a, judge_b};

  *graphs =
      (EnsStyleGraphs) {.features = features,
                        .n_features = n_features,
                        .n_terms = ENS_STYLE_N_GENERATOR_TERMS - (params->identity > 0 ? 0 : 2)};
  generator.colours = colours[0];
  generator.seed = seed;
  graphs->generator = ens_style_generator_new (&generator);
  networks.ab = graphs->generator;
  graphs->generators = build_generators (&networks, graphs->n_terms);
  graphs->discriminators = build_discriminators (&networks);
}

void
ens_style_graphs_clear (EnsStyleGraphs *graphs)
{
  g_clear_pointer (&graphs->features, ens_graph_free);
  g_clear_pointer (&graphs->generator, ens_graph_free);
  g_clear_pointer (&graphs->generators, ens_graph_free);
  g_clear_pointer (&graphs->discriminators, ens_graph_free);
}

gboolean
ens_style_is_trained (gpointer data, const char *name, EnsParameterKind kind)
{
  static const char *const generators[] = {"ab/", "ba/"}, *const discriminators[] = {"da/", "db/"};
  const char *const *prefixes = *(const char *)data == 'g' ? generators : discriminators;

  return g_str_has_prefix (name, prefixes[0]) || g_str_has_prefix (name, prefixes[1]);
}

/* -- the result -- */

static EnsGraph *
copy_trained (const EnsStyleGraphs *graphs, EnsStep *step)
{
  EnsGraph *generator = ens_graph_copy (graphs->generator);
  guint n_parameters;
  gsize n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n_parameters);
  const float *values = ens_step_get_values (step, &n);

  for (guint i = 0; i < n_parameters; i++) {
    const EnsParameter *parameter = &parameters[i];
    const EnsNode *node;
    EnsValue *value;

    if (!g_str_has_prefix (parameter->node, "ab/"))
      continue;
    node = g_hash_table_lookup (generator->nodes_by_name, parameter->node + strlen ("ab/"));
    value = node->inputs[parameter->input];
    ens_tensor_unref (value->constant);
    value->constant =
        ens_tensor_new_copy (ENS_TYPE_FLOAT32, &parameter->shape, values + parameter->offset);
  }
  return generator;
}

/* y = x + 127.5 · G (x / 127.5 − 1): where G is 0, y is x, bit for bit. */
EnsGraph *
ens_style_graphs_finish (const EnsStyleGraphs *graphs, EnsStep *step)
{
  g_autoptr (EnsGraph) generator = copy_trained (graphs, step);
  EnsGraph *graph = ens_graph_new ("style");
  EnsValue *pictures = add_pictures (graph, "pictures"), *x, *y;

  x = combine (graph, &ens_op_mul, pictures, add_number (graph, 1 / ENS_STYLE_MIDDLE));
  x = combine (graph, &ens_op_sub, x, add_number (graph, 1));
  y = apply (graph, generator, NULL, x).second;
  y = combine (graph, &ens_op_mul, y, add_number (graph, ENS_STYLE_MIDDLE));
  y = combine (graph, &ens_op_add, pictures, y);
  ens_graph_rename (graph, y, "style/adapted");
  ens_graph_add_output (graph, y);
  ens_graph_remove_unused (graph);
  return graph;
}
