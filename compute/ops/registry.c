/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/registry.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS(op) &ens_op_##op,

static const EnsOp *const ops[] = {ENS_OPS (ADDRESS) NULL};

typedef struct {
  const char *domain, *name;
} Key;

static int
compare_key (gconstpointer data, gconstpointer op)
{
  const Key *key = data;
  const EnsOp *found = *(const EnsOp *const *)op;
  int order = strcmp (key->name, found->name);

  return order != 0 ? order : strcmp (key->domain, found->domain != NULL ? found->domain : "");
}

const EnsOp *
ens_op_find_in (const char *domain, const char *name)
{
  Key key = {domain != NULL ? domain : "", name};
  const EnsOp *const *op = bsearch (&key, ops, G_N_ELEMENTS (ops) - 1, sizeof *ops, compare_key);

  return op != NULL ? *op : NULL;
}

const EnsOp *
ens_op_find (const char *name)
{
  return ens_op_find_in (NULL, name);
}

const EnsOp *const *
ens_op_list (void)
{
  return ops;
}
