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

/* How a tile is computed: shared memory is laid out as in shaders/conv-tile.glsl. */
typedef struct {
  Tile tile;
  guint k, fragment_k, subgroup;
} Tiling;

#define FRAGMENT 16 /* rows and columns of what a subgroup multiplies at once */

static guint
count_subgroups (const Tile *tile)
{
  return tile->m / tile->sub_m * (tile->n / tile->sub_n);
}

static gsize
shared_size (const Tiling *tiling, EnsType type)
{
  const Tile *tile = &tiling->tile;
  gsize gap = 16 / ens_type_size (type);
  gsize elements = tile->m * (tiling->k + gap) + tiling->k * (tile->n + gap);

  return elements * ens_type_size (type) + tile->m * 4 * sizeof (gint32)
         + count_subgroups (tile) * FRAGMENT * FRAGMENT * sizeof (float);
}

/* The largest tile that leaves enough of them to keep the device busy. */
static Tiling
choose_tiling (const EnsConvRecording *recording, gboolean cooperative)
{
  enum { LANES = 32 };
  const EnsGpuTraits *traits = recording->traits;
  const EnsConvPush *push = &recording->push;
  Tiling tiling = {.k = cooperative ? 32 : 16,
                   .fragment_k = cooperative ? FRAGMENT : ENS_CONV_FOUR,
                   .subgroup = cooperative ? traits->subgroup_size : LANES};

  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    gsize n = ens_conv_divide_up (ens_conv_count_pixels (recording), tiles[i].m)
              * ens_conv_divide_up (push->filters, tiles[i].n) * recording->conv->shape.groups;

    tiling.tile = tiles[i];
    if (n >= traits->busy_groups && tiles[i].n < 2 * push->filters
        && shared_size (&tiling, recording->conv->y->type) <= traits->max_shared
        && count_subgroups (&tiles[i]) * tiling.subgroup <= traits->max_group_size)
      break;
  }
  return tiling;
}

void
ens_conv_record_tiles (EnsConvRecording *recording)
{
  gboolean cooperative =
      recording->traits->cooperative && recording->conv->y->type == ENS_TYPE_FLOAT16;
  Tiling tiling = choose_tiling (recording, cooperative);
  const Tile *tile = &tiling.tile;
  EnsDispatch dispatch =
      ens_conv_begin (recording, cooperative ? "conv-matrix" : "conv",
                      (guint)ens_conv_round_up (recording->push.filters, ENS_CONV_FOUR));

  ens_conv_add_constant (&dispatch, count_subgroups (tile) * tiling.subgroup);
  ens_conv_add_constant (&dispatch, tile->m);
  ens_conv_add_constant (&dispatch, tile->n);
  ens_conv_add_constant (&dispatch, tiling.k);
  ens_conv_add_constant (&dispatch, tile->sub_m);
  ens_conv_add_constant (&dispatch, tile->sub_n);
  ens_conv_add_constant (&dispatch, FRAGMENT);
  ens_conv_add_constant (&dispatch, FRAGMENT);
  ens_conv_add_constant (&dispatch, tiling.fragment_k);
  dispatch.full_subgroups = cooperative;
  dispatch.groups[0] = (guint)ens_conv_divide_up (ens_conv_count_pixels (recording), tile->m);
  dispatch.groups[1] = (guint)ens_conv_divide_up (recording->push.filters, tile->n);
  dispatch.groups[2] = recording->conv->shape.groups;
  ens_commands_dispatch (recording->commands, &dispatch);
}
