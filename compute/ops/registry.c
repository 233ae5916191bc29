#include "ops/registry.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS(op) &ens_op_##op,

static const EnsOp *const ops[] = {ENS_OPS (ADDRESS) NULL};

static int
compare_name (gconstpointer name, gconstpointer op)
{
  return strcmp (name, (*(const EnsOp *const *)op)->name);
}

const EnsOp *
ens_op_find (const char *name)
{
  const EnsOp *const *op = bsearch (name, ops, G_N_ELEMENTS (ops) - 1, sizeof *ops, compare_name);

  return op != NULL ? *op : NULL;
}

const EnsOp *const *
ens_op_list (void)
{
  return ops;
}
