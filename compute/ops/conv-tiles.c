/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions in tiles, by shaders/conv-tile.glsl: which tile, and by what it is multiplied. */
#include "ops/conv-recording.h"

/* What a workgroup and each of its subgroups compute, pixels (m) by filters (n). */
typedef struct {
  guint m, n, sub_m, sub_n;
} Tile;

#define N_TILES 4

static const Tile plain_tiles[N_TILES] = {
    {128, 128, 64, 32},
    {128, 64, 32, 32},
    {64, 64, 32, 32},
    {32, 32, 16, 32},
};

/* What matrix units read of shared memory for each sum is less the larger a subgroup's part is. */
static const Tile matrix_tiles[N_TILES] = {
    {128, 128, 64, 64},
    {128, 64, 64, 32},
    {64, 64, 32, 32},
    {32, 32, 16, 32},
};

/* The shaders, the best first. */
typedef struct {
  const char *shader;
  EnsMatrixMode use;
  guint k;        /* of a step */
  guint part;     /* elements that an invocation brings to shared memory at once */
  gboolean dense; /* for products of dense rows alone, which it reads from where they are */
} Variant;

static const Variant variants[] = {
    {"conv-dense-matrix", ENS_MATRIX_MODE_WORKGROUP, .k = 64, .part = 8, .dense = TRUE},
    {"conv-matrix", ENS_MATRIX_MODE_WORKGROUP, .k = 32, .part = 8},
    {"conv-matrix", ENS_MATRIX_MODE_SUBGROUP, .k = 32, .part = 8},
    {"conv", ENS_MATRIX_MODE_NONE, .k = 16, .part = 4},
};

/* How a tile is computed. */
typedef struct {
  const Variant *variant;
  Tile tile; /* WORKGROUP: there are no parts, sub_m × sub_n are all of it */
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
  gsize gap = 16 / ens_type_size (type), k = tiling->variant->k;
  gsize elements = tiling->variant->dense ? 0 : tile->m * (k + gap) + k * (tile->n + gap);

  return elements * ens_type_size (type)
         + count_subgroups (tile) * tiling->fragment.m * tiling->fragment.n * sizeof (float);
}

static gboolean
is_multiple (const EnsMatrixShape *shape, const EnsMatrixShape *unit)
{
  return shape->m % unit->m == 0 && shape->n % unit->n == 0 && shape->k % unit->k == 0;
}

/* Each has to bring something of both operands. */
static guint
most_invocations (const Tiling *tiling, const EnsGpuTraits *traits)
{
  const Variant *variant = tiling->variant;

  return MIN (traits->max_group_size,
              MIN (tiling->tile.m, tiling->tile.n) * variant->k / variant->part);
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
  enum { LEAST = 16 };
  const EnsGpuMatrices *matrices = &traits->matrices;
  EnsMatrixShape *fragment = &tiling->fragment;

  *fragment = (EnsMatrixShape) {tiling->tile.m, tiling->tile.n, tiling->variant->k};
  while (MIN (fragment->m, fragment->n) >= LEAST && is_multiple (fragment, &group->unit)) {
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
  EnsMatrixShape whole = {tile->m, tile->n, tiling->variant->k};
  const EnsMatrixGroup *group =
      choose_group (&traits->matrices, &whole, most_invocations (tiling, traits));

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

  switch (tiling->variant->use) {
  case ENS_MATRIX_MODE_WORKGROUP:
    return fit_workgroup (tiling, traits);
  case ENS_MATRIX_MODE_SUBGROUP:
    tiling->fragment = traits->matrices.fragment;
    tiling->invocations = subgroups * traits->subgroup_size;
    break;
  default:
    tiling->fragment = (EnsMatrixShape) {16, 16, ENS_CONV_FOUR};
    tiling->invocations = subgroups * LANES;
    break;
  }
  return shared_size (tiling, type) <= traits->max_shared
         && tiling->invocations <= most_invocations (tiling, traits);
}

/* The largest tile that leaves enough of them to keep the device busy. */
static gboolean
choose_tiling (const EnsConvRecording *recording, const Variant *variant, Tiling *chosen)
{
  const EnsGpuTraits *traits = recording->traits;
  const EnsConvPush *push = &recording->push;
  const Tile *tiles = variant->use == ENS_MATRIX_MODE_NONE ? plain_tiles : matrix_tiles;
  gboolean found = FALSE;

  for (guint i = 0; i < N_TILES; i++) {
    Tiling tiling = {variant, tiles[i]};
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

/* How many channels of x can be loaded at once: a part, four, or one. */
static guint
count_at_once (const EnsConvRecording *recording, guint part)
{
  for (guint n = part; n >= 4; n /= 2)
    if (recording->push.channels % n == 0 && recording->push.x_pitch % n == 0
        && ens_commands_aligned (recording->commands, recording->conv->x, n))
      return n;
  return 1;
}

static EnsDispatch
make_dispatch (EnsConvRecording *recording, const Tiling *tiling)
{
  enum { SCOPE_WORKGROUP = 2, SCOPE_SUBGROUP = 3 }; /* of SPIR-V */
  const Tile *tile = &tiling->tile;
  const Variant *variant = tiling->variant;
  gboolean whole =
      variant->use == ENS_MATRIX_MODE_WORKGROUP && !recording->traits->matrices.by_subgroup;
  EnsDispatch dispatch =
      ens_conv_begin (recording, variant->shader,
                      (guint)ens_conv_round_up (recording->push.filters, variant->part));
  const guint32 constants[] = {tiling->invocations,
                               tile->m,
                               tile->n,
                               variant->k,
                               tile->sub_m,
                               tile->sub_n,
                               tiling->fragment.m,
                               tiling->fragment.n,
                               tiling->fragment.k,
                               count_at_once (recording, variant->part),
                               whole ? SCOPE_WORKGROUP : SCOPE_SUBGROUP};

  for (guint i = 0; i < G_N_ELEMENTS (constants); i++)
    ens_conv_add_constant (&dispatch, constants[i]);
  dispatch.full_subgroups = variant->use != ENS_MATRIX_MODE_NONE;
  dispatch.groups[0] = (guint)ens_conv_divide_up (ens_conv_count_pixels (recording), tile->m);
  dispatch.groups[1] = (guint)ens_conv_divide_up (recording->push.filters, tile->n);
  dispatch.groups[2] = recording->conv->shape.groups;
  return dispatch;
}

static gboolean
applies (const EnsConvRecording *recording, const Variant *variant)
{
  const EnsGpuMatrices *matrices = &recording->traits->matrices;

  if (variant->use == ENS_MATRIX_MODE_NONE)
    return TRUE;
  return recording->conv->y->type == ENS_TYPE_FLOAT16 && variant->use <= matrices->use
         && (!variant->dense
             || (matrices->tensors && ens_conv_is_matmul (&recording->conv->shape)));
}

gboolean
ens_conv_record_tiles (EnsConvRecording *recording)
{
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++) {
    const Variant *variant = &variants[i];
    Tiling tiling;
    EnsDispatch dispatch;

    if (!applies (recording, variant) || !choose_tiling (recording, variant, &tiling))
      continue;
    dispatch = make_dispatch (recording, &tiling);
    if (variant->use != ENS_MATRIX_MODE_NONE
        && !ens_commands_can_run (recording->commands, &dispatch))
      continue;
    ens_commands_dispatch (recording->commands, &dispatch);
    return TRUE;
  }
  return FALSE;
}
