/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum. Plans compose it of transposes, sums and matrix products (passes/decompose-einsum.c);
 * what takes a diagonal runs by the reference. */
#include "ops/einsum.h"

#include <string.h>

#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/registry.h"

static const EnsAttribute einsum_attributes[] = {
    {"equation", ENS_ATTRIBUTE_STRING, ENS_ATTRIBUTE_REQUIRED,
     ENS_MEMBER (EnsEinsumParams, equation), .length = sizeof ((EnsEinsumParams *)NULL)->equation},
    ENS_ATTRIBUTE_END};

/* Reading. Letters are indices 0 to 51; the axes that “…” stands for follow, aligned at the last.
 */

#define FIRST_ELLIPSIS (2 * 26)

/* A term of the equation, or FALSE; `rest`: axes that “…” stands for. */
static gboolean
read_term (const char **text, EnsEinsumTerm *term, guint rest, guint *n_ellipses)
{
  *term = (EnsEinsumTerm) {0};
  *n_ellipses = 0;
  for (; **text != '\0' && **text != ',' && strncmp (*text, "->", 2) != 0; (*text)++) {
    char letter = **text;

    if (letter == ' ')
      continue;
    if (strncmp (*text, "...", 3) == 0) {
      if (++*n_ellipses > 1 || term->rank + rest > ENS_MAX_RANK)
        return FALSE;
      for (guint i = 0; i < rest; i++)
        term->indices[term->rank++] = (guint8)(FIRST_ELLIPSIS + ENS_MAX_RANK - rest + i);
      *text += 2;
      continue;
    }
    if (!g_ascii_isalpha (letter) || term->rank == ENS_MAX_RANK)
      return FALSE;
    term->indices[term->rank++] =
        (guint8)(g_ascii_islower (letter) ? letter - 'a' : 26 + letter - 'A');
  }
  return TRUE;
}

/* Letters of a term, to tell what its “…” stands for. */
static guint
count_letters (const char *text)
{
  guint n = 0;

  for (; *text != '\0' && *text != ',' && strncmp (text, "->", 2) != 0; text++)
    n += g_ascii_isalpha (*text) != 0;
  return n;
}

static gboolean
set_sizes (const EnsOperands *operands, guint i, EnsEinsum *einsum, GError **error)
{
  const EnsShape *shape = &operands->inputs[i]->shape;
  const EnsEinsumTerm *term = &einsum->inputs[i];

  for (guint axis = 0; axis < shape->rank; axis++) {
    guint index = term->indices[axis];
    gint64 size = shape->dims[axis];

    if (!einsum->used[index] || einsum->sizes[index] == 1)
      einsum->sizes[index] = size;
    else if (size != einsum->sizes[index] && size != 1)
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "axis %u of input %u is %" G_GINT64_FORMAT
                           ", elsewhere its index is %" G_GINT64_FORMAT,
                           axis, i, size, einsum->sizes[index]);
    einsum->used[index] = TRUE;
  }
  return TRUE;
}

/* Without “->”: the axes of “…”, and letters that occur once, in alphabetical order, capitals
 * first. */
static gboolean
imply_output (EnsEinsum *einsum)
{
  guint counts[ENS_EINSUM_MAX_INDICES] = {0};

  for (guint i = 0; i < einsum->n_inputs; i++)
    for (guint axis = 0; axis < einsum->inputs[i].rank; axis++)
      counts[einsum->inputs[i].indices[axis]]++;
  for (guint k = 0; k < ENS_EINSUM_MAX_INDICES; k++) {
    guint index = k < ENS_MAX_RANK ? FIRST_ELLIPSIS + k : (k - ENS_MAX_RANK + 26) % FIRST_ELLIPSIS;

    if (counts[index] == 0 || (counts[index] > 1 && index < FIRST_ELLIPSIS))
      continue;
    if (einsum->output.rank == ENS_MAX_RANK)
      return FALSE;
    einsum->output.indices[einsum->output.rank++] = (guint8)index;
  }
  return TRUE;
}

static gboolean
refuse_equation (const EnsOperands *operands, GError **error)
{
  return ens_op_error (operands, error, ENS_ERROR_FORMAT,
                       "“%s” is no equation of %u inputs of these ranks",
                       ((const EnsEinsumParams *)operands->params)->equation, operands->n_inputs);
}

static gboolean
read_inputs (const EnsOperands *operands, const char **text, EnsEinsum *einsum, guint *rest)
{
  *rest = 0;
  for (guint i = 0; i < operands->n_inputs; i++) {
    guint rank = operands->inputs[i]->shape.rank, letters = count_letters (*text), n_ellipses;
    guint more = rank > letters ? rank - letters : 0;

    if (!read_term (text, &einsum->inputs[i], more, &n_ellipses) || einsum->inputs[i].rank != rank)
      return FALSE;
    if (n_ellipses > 0)
      *rest = MAX (*rest, more);
    if (i + 1 < operands->n_inputs && *(*text)++ != ',')
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_output (const char *text, EnsEinsum *einsum, guint rest)
{
  guint n_ellipses;

  if (*text == '\0')
    return imply_output (einsum);
  text += 2;
  if (!read_term (&text, &einsum->output, rest, &n_ellipses) || *text != '\0'
      || ens_einsum_repeats (&einsum->output))
    return FALSE;
  for (guint axis = 0; axis < einsum->output.rank; axis++)
    if (!einsum->used[einsum->output.indices[axis]])
      return FALSE;
  return TRUE;
}

gboolean
ens_einsum_read (const EnsOperands *operands, EnsEinsum *einsum, GError **error)
{
  const char *text = ((const EnsEinsumParams *)operands->params)->equation;
  guint rest;

  *einsum = (EnsEinsum) {.n_inputs = operands->n_inputs};
  if (!read_inputs (operands, &text, einsum, &rest)
      || (*text != '\0' && strncmp (text, "->", 2) != 0))
    return refuse_equation (operands, error);
  for (guint i = 0; i < operands->n_inputs; i++)
    if (!set_sizes (operands, i, einsum, error))
      return FALSE;
  return read_output (text, einsum, rest) || refuse_equation (operands, error);
}

gboolean
ens_einsum_has (const EnsEinsumTerm *term, guint index)
{
  for (guint axis = 0; axis < term->rank; axis++)
    if (term->indices[axis] == index)
      return TRUE;
  return FALSE;
}

gboolean
ens_einsum_repeats (const EnsEinsumTerm *term)
{
  for (guint a = 0; a < term->rank; a++)
    for (guint b = 0; b < a; b++)
      if (term->indices[a] == term->indices[b])
        return TRUE;
  return FALSE;
}

/* The operator */

static gboolean
einsum_shape (EnsOperands *operands, GError **error)
{
  EnsEinsum einsum;
  EnsShape shape;

  for (guint i = 0; i < operands->n_inputs; i++)
    if (operands->inputs[i] == NULL)
      return ens_op_error (operands, error, ENS_ERROR_FORMAT, "input %u is missing", i);
  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_same_types (operands, 1, error) || !ens_einsum_read (operands, &einsum, error))
    return FALSE;
  shape = (EnsShape) {.rank = einsum.output.rank};
  for (guint axis = 0; axis < shape.rank; axis++)
    shape.dims[axis] = einsum.sizes[einsum.output.indices[axis]];
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* Values of all indices together, those of the output and those that are summed over. */
static double
count_terms (const EnsEinsum *einsum)
{
  double n = 1;

  for (guint i = 0; i < ENS_EINSUM_MAX_INDICES; i++)
    n *= einsum->used[i] ? (double)einsum->sizes[i] : 1;
  return n;
}

static double
einsum_flops (const EnsOperands *operands)
{
  EnsEinsum einsum;

  ens_einsum_read (operands, &einsum, NULL);
  return count_terms (&einsum) * einsum.n_inputs;
}

/* Walks indices: their values, and where they lead in each input. */
typedef struct {
  guint n; /* indices */
  guint8 indices[ENS_EINSUM_MAX_INDICES];
  gint64 values[ENS_EINSUM_MAX_INDICES];
} Counter;

/* The next values; FALSE after the last. */
static gboolean
count_on (Counter *counter, const EnsEinsum *einsum)
{
  for (guint i = counter->n; i-- > 0;) {
    if (++counter->values[i] < einsum->sizes[counter->indices[i]])
      return TRUE;
    counter->values[i] = 0;
  }
  return FALSE;
}

static double
multiply (const EnsOperands *operands, const EnsEinsum *einsum, const gint64 *values)
{
  double product = 1;

  for (guint i = 0; i < einsum->n_inputs; i++) {
    const EnsShape *shape = &operands->inputs[i]->shape;
    gint64 at = 0;

    for (guint axis = 0; axis < shape->rank; axis++)
      at = at * shape->dims[axis]
           + (shape->dims[axis] == 1 ? 0 : values[einsum->inputs[i].indices[axis]]);
    product *= ens_view_real (operands->inputs[i], (gsize)at);
  }
  return product;
}

static void
set_values (const Counter *counter, gint64 *values)
{
  for (guint i = 0; i < counter->n; i++)
    values[counter->indices[i]] = counter->values[i];
}

static void
einsum_reference (const EnsOperands *operands)
{
  Counter kept = {0}, summed = {0};
  gint64 values[ENS_EINSUM_MAX_INDICES] = {0};
  gsize n = ens_view_elements (operands->outputs[0]);
  EnsEinsum einsum;
  gboolean empty;

  ens_einsum_read (operands, &einsum, NULL);
  empty = count_terms (&einsum) == 0;
  for (guint axis = 0; axis < einsum.output.rank; axis++)
    kept.indices[kept.n++] = einsum.output.indices[axis];
  for (guint index = 0; index < ENS_EINSUM_MAX_INDICES; index++)
    if (einsum.used[index] && !ens_einsum_has (&einsum.output, index))
      summed.indices[summed.n++] = (guint8)index;
  for (gsize i = 0; i < n; i++, count_on (&kept, &einsum)) {
    double sum = 0;

    set_values (&kept, values);
    do {
      set_values (&summed, values);
      sum += empty ? 0 : multiply (operands, &einsum, values);
    } while (!empty && count_on (&summed, &einsum));
    ens_view_set_real (operands->outputs[0], i, sum);
  }
}

/* The gradient is a sum of the same kind: input i's indices of the result's gradient times all
 * other inputs. Indices that only input i has it is repeated along. Where an index occurs twice it
 * is the diagonal's. */

static void
append_index (GString *equation, guint index)
{
  g_string_append_c (equation, (char)(index < 26 ? 'a' + (int)index : 'A' + (int)index - 26));
}

static void
append_term (GString *equation, const EnsEinsumTerm *term)
{
  for (guint axis = 0; axis < term->rank; axis++)
    append_index (equation, term->indices[axis]);
}

/* Each index once. */
static EnsEinsumTerm
remove_repetitions (const EnsEinsumTerm *term)
{
  EnsEinsumTerm once = {0};

  for (guint axis = 0; axis < term->rank; axis++)
    if (!ens_einsum_has (&once, term->indices[axis]))
      once.indices[once.rank++] = term->indices[axis];
  return once;
}

/* Indices have letters of their own, also those of “…”, which take letters that are free; *unused
 * is the first that is left. FALSE if there are too few, if each axis of an input needs one more.
 */
static gboolean
name_indices (EnsEinsum *einsum, guint *unused)
{
  guint8 names[ENS_EINSUM_MAX_INDICES], next = 0;

  for (guint index = 0; index < ENS_EINSUM_MAX_INDICES; index++)
    if (einsum->used[index])
      names[index] = next++;
  for (guint i = 0; i <= einsum->n_inputs; i++) {
    EnsEinsumTerm *term = i < einsum->n_inputs ? &einsum->inputs[i] : &einsum->output;

    for (guint axis = 0; axis < term->rank; axis++)
      term->indices[axis] = names[term->indices[axis]];
  }
  *unused = next;
  return next + ENS_MAX_RANK <= FIRST_ELLIPSIS;
}

static gboolean
is_elsewhere (const EnsEinsum *einsum, guint input, guint index)
{
  gboolean found = ens_einsum_has (&einsum->output, index);

  for (guint i = 0; i < einsum->n_inputs; i++)
    found |= i != input && ens_einsum_has (&einsum->inputs[i], index);
  return found;
}

/* With respect to input i, of whose term each index is there once; sizes: of indices. */
static EnsValue *
differentiate_term (EnsGradient *gradient, const EnsEinsum *einsum, const EnsEinsumTerm *term,
                    const gint64 *sizes, guint input)
{
  const EnsNode *node = gradient->node;
  g_autoptr (GString) equation = g_string_new (NULL);
  EnsValue *inputs[ENS_EINSUM_MAX_INPUTS] = {gradient->outputs[0]}, *dx;
  EnsShape shape = {.rank = term->rank}, wide = shape;
  EnsEinsumParams params = {0};
  EnsEinsumTerm kept = {0};
  guint n = 1;

  append_term (equation, &einsum->output);
  for (guint i = 0; i < einsum->n_inputs; i++)
    if (i != input) {
      g_string_append_c (equation, ',');
      append_term (equation, &einsum->inputs[i]);
      inputs[n++] = node->inputs[i];
    }
  for (guint axis = 0; axis < term->rank; axis++)
    if (is_elsewhere (einsum, input, term->indices[axis]))
      kept.indices[kept.rank++] = term->indices[axis];
  g_string_append (equation, "->");
  append_term (equation, &kept);
  g_strlcpy (params.equation, equation->str, sizeof params.equation);
  dx = ens_gradient_add (gradient, &ens_op_einsum, &params, inputs, n, 1)->outputs[0];
  for (guint axis = 0, k = 0; axis < term->rank; axis++) { /* 1 where all others broadcast */
    shape.dims[axis] = is_elsewhere (einsum, input, term->indices[axis]) ? dx->shape.dims[k++] : 1;
    wide.dims[axis] = sizes[term->indices[axis]];
  }
  return ens_gradient_expand (gradient, ens_gradient_reshape (gradient, dx, &shape), &wide);
}

static EnsValue *
add_identity (EnsGradient *gradient, EnsType type, gint64 n)
{
  g_autofree char *name = g_strdup_printf ("%s:identity", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE (n, n));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (gint64 i = 0; i < n * n; i++)
    ens_view_set_real (&view, (gsize)i, i / n == i % n ? 1 : 0);
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

/* From indices once to all of the term's: zeroes beside the diagonals. */
static EnsValue *
put_on_diagonals (EnsGradient *gradient, const EnsEinsumTerm *term, const EnsEinsumTerm *once,
                  EnsValue *value, guint unused)
{
  g_autoptr (GString) equation = g_string_new (NULL), result = g_string_new ("->");
  EnsValue *inputs[ENS_EINSUM_MAX_INPUTS] = {value};
  EnsEinsumParams params = {0};
  EnsEinsumTerm seen = {0};
  guint n = 1;

  append_term (equation, once);
  for (guint axis = 0; axis < term->rank; axis++) {
    guint index = term->indices[axis];

    if (!ens_einsum_has (&seen, index)) {
      append_index (result, index);
      seen.indices[seen.rank++] = (guint8)index;
      continue;
    }
    g_string_append_c (equation, ',');
    append_index (equation, index);
    append_index (equation, unused);
    append_index (result, unused++);
    for (guint k = 0; k < once->rank; k++)
      if (once->indices[k] == index)
        inputs[n] = add_identity (gradient, value->type, value->shape.dims[k]);
    n++;
  }
  g_string_append (equation, result->str);
  g_strlcpy (params.equation, equation->str, sizeof params.equation);
  return ens_gradient_add (gradient, &ens_op_einsum, &params, inputs, n, 1)->outputs[0];
}

static gboolean
einsum_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  gint64 sizes[ENS_EINSUM_MAX_INDICES] = {0};
  g_auto (EnsNodeViews) views;
  EnsEinsum einsum, named;
  guint unused;

  ens_node_views_init (&views, node);
  ens_einsum_read (&views.operands, &einsum, NULL);
  named = einsum;
  if (!name_indices (&named, &unused))
    return ens_gradient_error (gradient, error, "it has too many indices");
  for (guint i = 0; i < einsum.n_inputs; i++)
    for (guint axis = 0; axis < einsum.inputs[i].rank; axis++)
      sizes[named.inputs[i].indices[axis]] = einsum.sizes[einsum.inputs[i].indices[axis]];
  for (guint i = 0; i < einsum.n_inputs; i++) {
    EnsEinsumTerm once = remove_repetitions (&named.inputs[i]);
    EnsValue *dx;

    if (!gradient->wanted[i])
      continue;
    dx = differentiate_term (gradient, &named, &once, sizes, i);
    if (once.rank < named.inputs[i].rank)
      dx = put_on_diagonals (gradient, &named.inputs[i], &once, dx, unused);
    gradient->inputs[i] = ens_gradient_sum_to (gradient, dx, &node->inputs[i]->shape);
  }
  return TRUE;
}

/* One index is the first of all that has images, and of nothing else. */
static gboolean
einsum_per_image (const EnsNode *node)
{
  g_auto (EnsNodeViews) views;
  EnsEinsum einsum;
  guint index;

  ens_node_views_init (&views, node);
  if (!ens_einsum_read (&views.operands, &einsum, NULL) || einsum.output.rank == 0)
    return FALSE;
  index = einsum.output.indices[0];
  for (guint i = 0; i < einsum.n_inputs; i++) {
    const EnsEinsumTerm *term = &einsum.inputs[i];
    gboolean has = ens_einsum_has (term, index);

    if (ens_einsum_repeats (term)
        || (node->inputs[i]->constant != NULL ? has : term->rank == 0 || term->indices[0] != index))
      return FALSE;
  }
  return TRUE;
}

static const EnsOpExample einsum_examples[] = {
    {"2x5x3x7 2x6x3x7", &(const EnsEinsumParams) {"bihd,bjhd->bhij"}}, {NULL}};

const EnsOp ens_op_einsum = {.name = "Einsum",
                             .min_inputs = 1,
                             .max_inputs = ENS_EINSUM_MAX_INPUTS,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_PLAIN,
                             .params_size = sizeof (EnsEinsumParams),
                             .versions = {.since = 12},
                             .attributes = einsum_attributes,
                             .shape = einsum_shape,
                             .flops = einsum_flops,
                             .reference = einsum_reference,
                             .gradient = einsum_gradient,
                             .per_image = einsum_per_image,
                             .example = einsum_examples};
