/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of nodes by level. */
#include "build.h"

#include "check-main.h"
#include "passes/levels.h"
#include "passes/rewrite.h"

static char *
describe (const EnsGraph *graph, const guint *levels)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < graph->nodes->len; i++)
    g_string_append_printf (text, "%s%s %u", i > 0 ? ", " : "", ens_graph_node (graph, i)->op->name,
                            levels[i]);
  return g_string_free (text, FALSE);
}

/* Two branches, written one behind the other; the longer one is an Add's first input, then its
 * second. */
START_TEST (test_branches)
{
  g_auto (Builder) b;
  g_autofree guint *levels = NULL;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  EnsValue *x, *longer, *shorter;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (2, 3));
  longer = build (&b, "Neg", NULL, build (&b, "Abs", NULL, x, NULL), NULL);
  longer = build_reshape (&b, longer, &ENS_SHAPE (2, 3));
  shorter = build (&b, "Relu", NULL, x, NULL);
  x = build (&b, "Sub", NULL, longer, shorter, NULL);
  ens_graph_add_output (b.graph, build (&b, "Mul", NULL, shorter, x, NULL));
  levels = ens_graph_order_by_level (b.graph);
  ens_graph_validate (b.graph, &error);
  ck_assert_no_error (error);
  found = describe (b.graph, levels);
  ck_assert_pstr_eq (found, "Abs 1, Relu 1, Neg 2, Reshape 2, Sub 3, Mul 4");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/levels");
  test_add ("branches", test_branches);
  return test_run ();
}
