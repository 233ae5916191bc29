/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of embedded shaders. */
#include <shaders.h>

#include <string.h>

#include "check-main.h"

#define SPIRV_MAGIC 0x07230203u

/* Cooperative matrices multiply float16. */
static gboolean
is_of_matrices (const EnsShader *shader)
{
  return g_str_has_suffix (shader->stem, "-matrix");
}

START_TEST (test_all_found)
{
  g_auto (GStrv) stems = g_strsplit (STEMS, " ", -1);
  guint n;
  const EnsShader *shaders = ens_shader_list (&n);

  for (char **stem = stems; *stem != NULL; stem++)
    if (ens_shader_find (*stem, ENS_TYPE_FLOAT32) == NULL)
      ck_abort_msg ("%s", *stem);
  for (guint i = 0; i < n; i++) {
    ck_assert (ens_shader_find (shaders[i].stem, shaders[i].storage) == &shaders[i]);
    ck_assert_ptr_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT16));
    if (!is_of_matrices (&shaders[i]))
      ck_assert_ptr_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT32));
    ck_assert_uint_gt (shaders[i].n_words, 5);
    ck_assert_uint_eq (shaders[i].words[0], SPIRV_MAGIC);
    if (i > 0)
      ck_assert_int_le (strcmp (shaders[i - 1].stem, shaders[i].stem), 0);
  }
}
END_TEST

START_TEST (test_none_found)
{
  ck_assert_ptr_null (ens_shader_find ("activation", ENS_TYPE_INT64));
  ck_assert_ptr_null (ens_shader_find ("no-such-shader", ENS_TYPE_FLOAT32));
}
END_TEST

/* Cooperative matrices come in Khronos' form, whatever the compiler made of them, and with the
 * instructions that all compilers make: those of SPIR-V's registry. */
enum {
  CAPABILITY = 17,
  CONSTANT = 43,
  LOAD = 61,
  PHI = 245,
  MATRIX_TYPE = 4456,
  MATRIX_LOAD = 4457,
  MATRIX_STORE = 4458,
  MATRIX_MULTIPLY_ADD = 4459,
  OLDER_FIRST = 5358,
  OLDER_LAST = 5362,
  MATRIX_LOAD_TENSOR = 5367,
  LAYOUT_TYPE = 5370,
  LAYOUT_CREATE = 5372,
  LAYOUT_DIMENSION = 5373,
  LAYOUT_STRIDE = 5374,
  LAYOUT_SLICE = 5375,
};

typedef struct {
  const char *stem;
  struct {
    guint opcode, n;
  } instructions[10]; /* how many there are; zeroes end the list */
  guint capabilities[4];
} MatrixRow;

static const MatrixRow matrix_rows[] = {
    {"conv-matrix",
     {{MATRIX_TYPE, 3}, {MATRIX_LOAD, 2}, {MATRIX_STORE, 1}, {MATRIX_MULTIPLY_ADD, 1}},
     {6022}},
    {"conv-dense-matrix",
     {{MATRIX_TYPE, 3},
      {MATRIX_LOAD_TENSOR, 2},
      {MATRIX_STORE, 1},
      {MATRIX_MULTIPLY_ADD, 1},
      {LAYOUT_TYPE, 1},
      {LAYOUT_CREATE, 2},
      {LAYOUT_DIMENSION, 2},
      {LAYOUT_STRIDE, 2},
      {LAYOUT_SLICE, 2}},
     {6022, 5433, 5439}},
};

#define N_OPCODES 0x10000

/* What a matrix is in multiplications: operands of its type. */
enum { USE_A, USE_B, USE_ACCUMULATOR };

/* Of a module, by id. */
typedef struct {
  guint32 *types, *uses, *constants;
} Ids;

static void
note_ids (const guint32 *instruction, const Ids *ids)
{
  switch (instruction[0] & 0xffff) {
  case CONSTANT: /* type, result, value */
    ids->constants[instruction[2]] = instruction[3];
    break;
  case MATRIX_TYPE: /* result, of what, scope, rows, columns, use */
    ids->uses[instruction[1]] = ids->constants[instruction[6]];
    break;
  case LOAD: /* type, result */
  case PHI:
  case MATRIX_LOAD:
  case MATRIX_LOAD_TENSOR:
  case MATRIX_MULTIPLY_ADD:
    ids->types[instruction[2]] = instruction[1];
    break;
  }
}

/* a · b + c: type, result, a, b, c */
static void
check_multiplication (const guint32 *instruction, const Ids *ids)
{
  ck_assert_uint_eq (ids->uses[instruction[1]], USE_ACCUMULATOR);
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_eq (ids->uses[ids->types[instruction[3 + i]]], USE_A + i);
}

START_TEST (test_uses)
{
  const EnsShader *shader = ens_shader_find (matrix_rows[_i].stem, ENS_TYPE_FLOAT16);
  gsize bound = shader->words[3];
  g_autofree guint32 *types = g_new0 (guint32, bound), *uses = g_new0 (guint32, bound);
  g_autofree guint32 *constants = g_new0 (guint32, bound);
  const Ids ids = {types, uses, constants};

  for (guint pass = 0; pass < 2; pass++)
    for (gsize at = 5; at < shader->n_words; at += shader->words[at] >> 16)
      if (pass == 0)
        note_ids (shader->words + at, &ids);
      else if ((shader->words[at] & 0xffff) == MATRIX_MULTIPLY_ADD)
        check_multiplication (shader->words + at, &ids);
}
END_TEST

static void
count_instructions (const EnsShader *shader, guint *counts, gboolean *capable)
{
  gsize at;

  for (at = 5; at < shader->n_words; at += shader->words[at] >> 16) {
    const guint32 *instruction = shader->words + at;
    guint opcode = instruction[0] & 0xffff;

    ck_assert_uint_gt (instruction[0] >> 16, 0);
    counts[opcode]++;
    if (opcode == CAPABILITY && instruction[1] < N_OPCODES)
      capable[instruction[1]] = TRUE;
    if (opcode == MATRIX_TYPE) /* with its use */
      ck_assert_uint_eq (instruction[0] >> 16, 7);
  }
  ck_assert_uint_eq (at, shader->n_words);
}

START_TEST (test_matrices)
{
  const MatrixRow *row = &matrix_rows[_i];
  const EnsShader *shader = ens_shader_find (row->stem, ENS_TYPE_FLOAT16);
  g_autofree guint *counts = g_new0 (guint, N_OPCODES);
  g_autofree gboolean *capable = g_new0 (gboolean, N_OPCODES);

  ck_assert_ptr_nonnull (shader);
  count_instructions (shader, counts, capable);
  for (guint opcode = OLDER_FIRST; opcode <= OLDER_LAST; opcode++)
    ck_assert_uint_eq (counts[opcode], 0);
  for (guint i = 0; row->instructions[i].opcode != 0; i++)
    ck_assert_uint_eq (counts[row->instructions[i].opcode], row->instructions[i].n);
  for (guint i = 0; row->capabilities[i] != 0; i++)
    ck_assert (capable[row->capabilities[i]]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("shaders");
  test_add ("all-found", test_all_found);
  test_add ("none-found", test_none_found);
  TEST_ADD_ROWS (NULL, test_matrices, matrix_rows);
  TEST_ADD_ROWS ("uses", test_uses, matrix_rows);
  return test_run ();
}
