/* Convolutions in tiles, by shaders/conv-tile.glsl: which tile, and by what it is multiplied. */
#include "ops/conv-recording.h"

/* What a workgroup and each of its subgroups compute, pixels (m) by filters (n). */
typedef struct {
  guint m, n, sub_m, sub_n;
} Tile;

static const Tile tiles[] = {
    {128, 128, 64, 32},
    {128, 64, 32, 32},
    {64, 64, 32, 32},
    {32, 32, 16, 32},
};

/* How a tile is computed. */
typedef struct {
  Tile tile; /* WORKGROUP: there are no parts, sub_m × sub_n are all of it */
  EnsMatrices use;
  guint k; /* of a step */
  EnsMatrixShape fragment;
  guint invocations; /* of a workgroup */
} Tiling;

static guint
count_subgroups (const Tile *tile)
{
  return tile->m / tile->sub_m * (tile->n / tile->sub_n);
}

/* Shared memory is laid out as in shaders/conv-tile.glsl. */
static gsize
shared_size (const Tiling *tiling, EnsType type)
{
  const Tile *tile = &tiling->tile;
  gsize gap = 16 / ens_type_size (type);
  gsize elements = tile->m * (tiling->k + gap) + tiling->k * (tile->n + gap);

  return elements * ens_type_size (type) + tile->m * 4 * sizeof (gint32)
         + count_subgroups (tile) * tiling->fragment.m * tiling->fragment.n * sizeof (float);
}

static gboolean
is_multiple (const EnsMatrixShape *shape, const EnsMatrixShape *unit)
{
  return shape->m % unit->m == 0 && shape->n % unit->n == 0 && shape->k % unit->k == 0;
}

/* The most invocations that still have enough to do, or the fewest that there are. */
static const EnsMatrixGroup *
choose_group (const EnsGpuMatrices *matrices, const EnsMatrixShape *tile, guint most)
{
  enum { ENOUGH = 64 }; /* sums of an invocation */
  const EnsMatrixGroup *best = NULL;

  for (guint i = 0; i < matrices->n_groups; i++) {
    const EnsMatrixGroup *group = &matrices->groups[i];

    if (is_multiple (tile, &group->unit) && group->invocations <= most
        && (best == NULL || group->invocations * ENOUGH <= tile->m * tile->n))
      best = group;
  }
  return best;
}

/* Sums leave through shared memory: as large matrices as it has space for. */
static gboolean
fit_fragment (Tiling *tiling, const EnsMatrixGroup *group, const EnsGpuTraits *traits)
{
  const EnsGpuMatrices *matrices = &traits->matrices;
  EnsMatrixShape *fragment = &tiling->fragment;

  for (*fragment = (EnsMatrixShape) {tiling->tile.m, tiling->tile.n, tiling->k};
       is_multiple (fragment, &group->unit);) {
    if (MAX (fragment->m, fragment->n) <= matrices->max_dimension
        && shared_size (tiling, ENS_TYPE_FLOAT16) + matrices->reserved_shared <= traits->max_shared)
      return TRUE;
    if (fragment->m > fragment->n)
      fragment->m /= 2;
    else
      fragment->n /= 2;
  }
  return FALSE;
}

static gboolean
fit_workgroup (Tiling *tiling, const EnsGpuTraits *traits)
{
  Tile *tile = &tiling->tile;
  EnsMatrixShape whole = {tile->m, tile->n, tiling->k};
  const EnsMatrixGroup *group = choose_group (
      &traits->matrices, &whole, MIN (traits->max_group_size, tile->m * tiling->k / ENS_CONV_FOUR));

  tile->sub_m = tile->m;
  tile->sub_n = tile->n;
  if (group == NULL)
    return FALSE;
  tiling->invocations = group->invocations;
  return fit_fragment (tiling, group, traits);
}

/* Whether the device can compute such tiles so. */
static gboolean
fit (Tiling *tiling, const EnsGpuTraits *traits, EnsType type)
{
  enum { LANES = 32 };
  guint subgroups = count_subgroups (&tiling->tile);

  switch (tiling->use) {
  case ENS_MATRICES_WORKGROUP:
    return fit_workgroup (tiling, traits);
  case ENS_MATRICES_SUBGROUP:
    tiling->fragment = traits->matrices.fragment;
    tiling->invocations = subgroups * traits->subgroup_size;
    break;
  default:
    tiling->fragment = (EnsMatrixShape) {16, 16, ENS_CONV_FOUR};
    tiling->invocations = subgroups * LANES;
    break;
  }
  return shared_size (tiling, type) <= traits->max_shared
         && tiling->invocations <= traits->max_group_size;
}

/* The largest tile that leaves enough of them to keep the device busy. */
static gboolean
choose_tiling (const EnsConvRecording *recording, EnsMatrices use, Tiling *chosen)
{
  const EnsGpuTraits *traits = recording->traits;
  const EnsConvPush *push = &recording->push;
  gboolean found = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    Tiling tiling = {.tile = tiles[i], .use = use, .k = use == ENS_MATRICES_NONE ? 16 : 32};
    gsize n = ens_conv_divide_up (ens_conv_count_pixels (recording), tiles[i].m)
              * ens_conv_divide_up (push->filters, tiles[i].n) * recording->conv->shape.groups;

    if (!fit (&tiling, traits, recording->conv->y->type))
      continue;
    *chosen = tiling;
    found = TRUE;
    if (n >= traits->busy_groups && tiles[i].n < 2 * push->filters)
      break;
  }
  return found;
}

static EnsDispatch
make_dispatch (EnsConvRecording *recording, const Tiling *tiling)
{
  enum { SCOPE_WORKGROUP = 2, SCOPE_SUBGROUP = 3 }; /* of SPIR-V */
  const Tile *tile = &tiling->tile;
  const EnsGpuMatrices *matrices = &recording->traits->matrices;
  gboolean whole = tiling->use == ENS_MATRICES_WORKGROUP && !matrices->by_subgroup;
  EnsDispatch dispatch =
      ens_conv_begin (recording, tiling->use == ENS_MATRICES_NONE ? "conv" : "conv-matrix",
                      (guint)ens_conv_round_up (recording->push.filters, ENS_CONV_FOUR));
  const guint32 constants[] = {tiling->invocations,
                               tile->m,
                               tile->n,
                               tiling->k,
                               tile->sub_m,
                               tile->sub_n,
                               tiling->fragment.m,
                               tiling->fragment.n,
                               tiling->fragment.k,
                               whole ? SCOPE_WORKGROUP : SCOPE_SUBGROUP};

  for (guint i = 0; i < G_N_ELEMENTS (constants) - (tiling->use == ENS_MATRICES_NONE); i++)
    ens_conv_add_constant (&dispatch, constants[i]);
  dispatch.full_subgroups = tiling->use != ENS_MATRICES_NONE;
  dispatch.groups[0] = (guint)ens_conv_divide_up (ens_conv_count_pixels (recording), tile->m);
  dispatch.groups[1] = (guint)ens_conv_divide_up (recording->push.filters, tile->n);
  dispatch.groups[2] = recording->conv->shape.groups;
  return dispatch;
}

void
ens_conv_record_tiles (EnsConvRecording *recording)
{
  EnsMatrices use = recording->conv->y->type == ENS_TYPE_FLOAT16 ? recording->traits->matrices.use
                                                                 : ENS_MATRICES_NONE;

  for (; use >= ENS_MATRICES_NONE; use--) {
    Tiling tiling;
    EnsDispatch dispatch;

    if (!choose_tiling (recording, use, &tiling))
      continue;
    dispatch = make_dispatch (recording, &tiling);
    if (use > ENS_MATRICES_NONE && !ens_commands_can_run (recording->commands, &dispatch))
      continue;
    ens_commands_dispatch (recording->commands, &dispatch);
    return;
  }
}
