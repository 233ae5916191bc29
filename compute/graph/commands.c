/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/commands.h"

const char *
ens_matrix_mode_name (EnsMatrixMode mode)
{
  switch (mode) {
  case ENS_MATRIX_MODE_SUBGROUP:
    return "subgroup";
  case ENS_MATRIX_MODE_WORKGROUP:
    return "workgroup";
  default:
    return "none";
  }
}

const EnsGpuTraits *
ens_commands_get_traits (const EnsCommands *commands)
{
  return &commands->traits;
}

void
ens_commands_dispatch (EnsCommands *commands, const EnsDispatch *dispatch)
{
  commands->class->dispatch (commands, dispatch);
}

gboolean
ens_commands_can_run (EnsCommands *commands, const EnsDispatch *dispatch)
{
  return commands->class->can_run (commands, dispatch);
}

void
ens_commands_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n, guint32 size)
{
  gsize groups = (n + size - 1) / size;
  gsize most = commands->traits.max_groups[0];
  gsize rows = (groups + most - 1) / most;

  dispatch->groups[0] = (guint32)(rows > 0 ? (groups + rows - 1) / rows : 0);
  dispatch->groups[1] = (guint32)MIN (rows, G_MAXUINT32);
  dispatch->groups[2] = 1;
}

gboolean
ens_commands_in_place (const EnsCommands *commands, const EnsView *whole, gsize element,
                       const EnsView *part)
{
  return commands->class->in_place (commands, whole, element, part);
}

gboolean
ens_commands_aligned (const EnsCommands *commands, const EnsView *view, guint n)
{
  return commands->class->aligned (commands, view, n);
}

gboolean
ens_commands_by_four (const EnsCommands *commands, const EnsView *view)
{
  return ens_commands_aligned (commands, view, 4);
}

const EnsView *
ens_commands_scratch (EnsCommands *commands, gsize size)
{
  return commands->class->scratch (commands, size);
}

const EnsView *
ens_commands_table (EnsCommands *commands, gconstpointer data, gsize size)
{
  return commands->class->table (commands, data, size);
}

const EnsView *
ens_commands_pack (EnsCommands *commands, EnsTensor *constant, const char *kind, gsize size,
                   EnsPackFunc pack, gpointer state)
{
  return commands->class->pack (commands, constant, kind, size, pack, state);
}
