/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations that files spell out, as the nodes that they are:
 *
 * - Gelu (Hendrycks and Gimpel 2016): x / 2 · (1 + erf (x / √2))
 * - the same, approximated: x / 2 · (1 + tanh (√(2 / π) (x + 0.044715 x³)))
 * - Swish (Ramachandran et al. 2017): x · sigmoid (α x); α = 1 is SiLU, α = 1.702 is QuickGELU
 * - HardSwish (Howard et al. 2019): x · hard sigmoid (x)
 *
 * with factors in any order, and numbers to four digits. */
#include "passes/passes.h"

#include <math.h>

#include "graph/infer.h"
#include "ops/operands.h"
#include "passes/activation.h"
#include "passes/rewrite.h"

static gboolean
is_about (double a, double b)
{
  return fabs (a - b) <= 1e-4 * fabs (b);
}

/* The other term of a sum with a number. */
static EnsValue *
read_sum (const EnsNode *node, double number)
{
  double found;

  for (guint i = 0; i < 2 && ens_node_is_plain (node, ENS_KIND_ADD); i++)
    if (ens_value_read_number (node->inputs[1 - i], node->outputs[0]->shape.rank, &found)
        && is_about (found, number))
      return node->inputs[i];
  return NULL;
}

/* Whether `value` is x to a power: a Pow, or a product. */
static gboolean
is_power (const EnsValue *value, const EnsValue *x, guint power)
{
  const EnsNode *node = value->producer;
  double number;

  if (power == 1)
    return value == x;
  if (ens_node_is (node, "Pow"))
    return node->inputs[0] == x
           && ens_value_read_number (node->inputs[1], value->shape.rank, &number)
           && number == power;
  if (!ens_node_is_plain (node, ENS_KIND_MULTIPLY))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (node->inputs[i] == x && is_power (node->inputs[1 - i], x, power - 1))
      return TRUE;
  return FALSE;
}

/* Whether value = number · xᵖᵒʷᵉʳ, the number standing anywhere in the product. */
static gboolean
is_scaled_power (EnsValue *value, const EnsValue *x, guint power, double number)
{
  const EnsNode *node = value->producer;
  EnsScaled scaled;

  if (ens_value_read_scaled (value, &scaled) && is_about (scaled.number, number)
      && is_power (scaled.input, x, power))
    return TRUE;
  if (power < 2 || !ens_node_is_plain (node, ENS_KIND_MULTIPLY))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (node->inputs[i] == x && is_scaled_power (node->inputs[1 - i], x, power - 1, number))
      return TRUE;
  return FALSE;
}

#define GELU_CUBE 0.044715

/* x of x + 0.044715 x³, or of x · (1 + 0.044715 x²). */
static EnsValue *
read_cubic (EnsValue *value)
{
  const EnsNode *node = value->producer;

  for (guint i = 0; i < 2 && ens_node_is_plain (node, ENS_KIND_ADD); i++)
    if (is_scaled_power (node->inputs[1 - i], node->inputs[i], 3, GELU_CUBE))
      return node->inputs[i];
  for (guint i = 0; i < 2 && ens_node_is_plain (node, ENS_KIND_MULTIPLY); i++) {
    EnsValue *square = read_sum (node->inputs[1 - i]->producer, 1);

    if (square != NULL && is_scaled_power (square, node->inputs[i], 2, GELU_CUBE))
      return node->inputs[i];
  }
  return NULL;
}

/* x of c · (x + 0.044715 x³). */
static EnsValue *
read_gelu_argument (EnsValue *value)
{
  const EnsNode *node = value->producer;
  const double number = sqrt (2 / G_PI);
  EnsScaled scaled;

  if (ens_value_read_scaled (value, &scaled) && is_about (scaled.number, number))
    return read_cubic (scaled.input);
  /* c · x · (1 + 0.044715 x²) */
  for (guint i = 0; i < 2 && ens_node_is_plain (node, ENS_KIND_MULTIPLY); i++) {
    EnsValue *square = read_sum (node->inputs[1 - i]->producer, 1);

    if (square != NULL && ens_value_read_scaled (node->inputs[i], &scaled)
        && is_about (scaled.number, number) && is_scaled_power (square, scaled.input, 2, GELU_CUBE))
      return scaled.input;
  }
  return NULL;
}

/* The node at which `value`, that nothing else reads, has been multiplied by number · x. */
static EnsNode *
find_product (const EnsGraph *graph, const EnsValue *value, const EnsValue *x, double number)
{
  EnsNode *node = ens_graph_only_reader (graph, value);
  gboolean has_x = FALSE;
  double found = 1, factor;

  while (node != NULL
         && (ens_node_is_plain (node, ENS_KIND_MULTIPLY)
             || ens_node_is_plain (node, ENS_KIND_DIVIDE))) {
    gboolean divides = node->op->kind == ENS_KIND_DIVIDE;
    EnsValue *other = node->inputs[node->inputs[0] == value ? 1 : 0];
    EnsScaled scaled;

    if (divides && other == node->inputs[0])
      return NULL;
    if (ens_value_read_number (other, value->shape.rank, &factor))
      found *= divides ? 1 / factor : factor;
    else if (!divides && !has_x && other == x)
      has_x = TRUE;
    else if (!divides && !has_x && ens_value_read_scaled (other, &scaled) && scaled.input == x) {
      has_x = TRUE;
      found *= scaled.number;
    } else
      return NULL;
    if (has_x && is_about (found, number))
      return node;
    value = node->outputs[0];
    node = ens_graph_only_reader (graph, value);
  }
  return NULL;
}

static gboolean
replace (EnsGraph *graph, EnsNode *product, EnsValue *x, const char *op, gconstpointer params)
{
  EnsNode *node;

  if (!ens_shape_equal (&x->shape, &product->outputs[0]->shape) || !ens_type_fuses (x->type))
    return FALSE;
  node = ens_graph_insert_node (
      graph, product, &(EnsNewNode) {.op = op, .params = params, .inputs = {x}, .n_inputs = 1});
  ens_infer_node (node, FALSE, NULL);
  ens_graph_replace_uses (graph, product->outputs[0], node->outputs[0]);
  return TRUE;
}

/* From 1 + f (x) on. */
static gboolean
replace_gelu (EnsGraph *graph, EnsNode *node, EnsValue *x, gboolean tanh)
{
  EnsNode *sum = ens_graph_only_reader (graph, node->outputs[0]), *product;

  if (x == NULL || sum == NULL || read_sum (sum, 1) != node->outputs[0])
    return FALSE;
  product = find_product (graph, sum->outputs[0], x, 0.5);
  return product != NULL && replace (graph, product, x, "Gelu", &(EnsGeluParams) {tanh});
}

static gboolean
replace_gate (EnsGraph *graph, EnsNode *gate)
{
  EnsValue *input = gate->inputs[0];
  EnsFusedActivation activation;
  EnsScaled scaled = {input, 1};
  EnsNode *product;

  ens_node_as_activation (gate, &activation);
  product = find_product (graph, gate->outputs[0], input, 1);
  if (activation.kind == ENS_ACTIVATION_HARD_SIGMOID)
    return is_about ((double)activation.alpha, 1 / 6.0) && activation.beta == 0.5F
           && product != NULL && replace (graph, product, input, "HardSwish", NULL);
  if (product == NULL && ens_value_read_scaled (input, &scaled))
    product = find_product (graph, gate->outputs[0], scaled.input, 1);
  return product != NULL
         && replace (graph, product, scaled.input, "Swish",
                     &(EnsUnaryParams) {(float)scaled.number, 0});
}

static gboolean
recognise (EnsGraph *graph, EnsNode *node)
{
  EnsScaled scaled;

  if (ens_node_is (node, "Erf"))
    return ens_value_read_scaled (node->inputs[0], &scaled) && is_about (scaled.number, G_SQRT2 / 2)
           && replace_gelu (graph, node, scaled.input, FALSE);
  if (ens_node_is (node, "Tanh"))
    return replace_gelu (graph, node, read_gelu_argument (node->inputs[0]), TRUE);
  if (ens_node_is (node, "Sigmoid") || ens_node_is (node, "HardSigmoid"))
    return replace_gate (graph, node);
  return FALSE;
}

gboolean
ens_pass_recognise_activation (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, recognise);
}
