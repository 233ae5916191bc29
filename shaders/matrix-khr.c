/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rewrites SPIR-V from SPV_NV_cooperative_matrix to SPV_KHR_cooperative_matrix.
 *
 *   matrix-khr IN.spv OUT.spv
 *
 * For compilers of GLSL that know but the older extension. Both say the same, except that a type of
 * the newer one also names its use, as operand A, operand B or accumulator of multiplications,
 * which is found here from the multiplications: no two of them may have one type in common. Numbers
 * are those of the two extensions' specifications in the SPIR-V registry; layouts of instructions
 * are quoted where they differ. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAGIC = 0x07230203,
  HEADER_WORDS = 5,
  BOUND = 3, /* the header's word that all ids are below */
};

enum {
  OP_UNDEF = 1,
  OP_EXTENSION = 10,
  OP_CAPABILITY = 17,
  OP_TYPE_INT = 21,
  OP_CONSTANT_TRUE = 41,
  OP_CONSTANT_FALSE = 42,
  OP_CONSTANT = 43,
  OP_CONSTANT_NULL = 46,
  OP_LOAD = 61,
  OP_COMPOSITE_CONSTRUCT = 80,
  OP_COMPOSITE_EXTRACT = 81,
  OP_COPY_OBJECT = 83,
  OP_PHI = 245,
  OP_MATRIX_LOAD_TENSOR = 5367, /* the same in both */
  OP_TYPE_MATRIX_NV = 5358,
  OP_MATRIX_LOAD_NV = 5359,
  OP_MATRIX_STORE_NV = 5360,
  OP_MATRIX_MUL_ADD_NV = 5361,
  OP_MATRIX_LENGTH_NV = 5362,
  OP_TYPE_MATRIX_KHR = 4456,
  OP_MATRIX_LOAD_KHR = 4457,
  OP_MATRIX_STORE_KHR = 4458,
  OP_MATRIX_MUL_ADD_KHR = 4459,
  OP_MATRIX_LENGTH_KHR = 4460,
  CAPABILITY_MATRIX_NV = 5357,
  CAPABILITY_MATRIX_KHR = 6022,
};

/* Also the values of the operand Use, and the first two of the operand MemoryLayout: row and column
 * major. */
enum { USE_A, USE_B, USE_ACCUMULATOR, N_USES };

typedef struct {
  uint32_t *words;
  size_t n;
} Module;

typedef struct {
  Module in, out;
  uint32_t bound;          /* of the module read */
  uint32_t *types;         /* by id: its type, where that may be a matrix; 0: unknown */
  uint32_t *uses;          /* by id of a matrix type: 1 + its use; 0: none known */
  uint32_t *layouts;       /* by id of a boolean constant: 1 + its value */
  uint32_t uint_type;      /* id of the type of 32-bit unsigned integers */
  uint32_t number[N_USES]; /* ids of the constants 0, 1, 2 that are added */
} Rewriter;

static void
fail (const char *message)
{
  fprintf (stderr, "matrix-khr: %s\n", message);
  exit (EXIT_FAILURE);
}

static void *
allocate (size_t n, size_t size)
{
  void *memory = calloc (n, size);

  if (memory == NULL)
    fail ("out of memory");
  return memory;
}

static Module
read_module (const char *path)
{
  FILE *file = fopen (path, "rb");
  Module module = {0};
  long size;

  if (file == NULL || fseek (file, 0, SEEK_END) != 0 || (size = ftell (file)) < 0)
    fail ("the input can't be read");
  rewind (file);
  module.n = (size_t)size / sizeof (uint32_t);
  module.words = allocate (module.n + 1, sizeof (uint32_t));
  if (fread (module.words, sizeof (uint32_t), module.n, file) != module.n)
    fail ("the input can't be read");
  fclose (file);
  if (module.n < HEADER_WORDS || module.words[0] != MAGIC)
    fail ("the input is not SPIR-V of this machine's byte order");
  return module;
}

static void
write_module (const Module *module, const char *path)
{
  FILE *file = fopen (path, "wb");

  if (file == NULL || fwrite (module->words, sizeof (uint32_t), module->n, file) != module->n
      || fclose (file) != 0)
    fail ("the output can't be written");
}

static uint32_t
opcode_of (const uint32_t *instruction)
{
  return instruction[0] & 0xffff;
}

static size_t
length_of (const uint32_t *instruction)
{
  return instruction[0] >> 16;
}

static uint32_t
check_id (const Rewriter *rewriter, uint32_t id)
{
  if (id >= rewriter->bound)
    fail ("an id is out of bounds");
  return id;
}

typedef void (*Visit) (Rewriter *rewriter, const uint32_t *instruction, size_t length);

static void
for_each_instruction (Rewriter *rewriter, Visit visit)
{
  const Module *in = &rewriter->in;

  for (size_t at = HEADER_WORDS; at < in->n;) {
    size_t length = length_of (in->words + at);

    if (length == 0 || length > in->n - at)
      fail ("an instruction ends beyond the input");
    visit (rewriter, in->words + at, length);
    at += length;
  }
}

static void
note_types (Rewriter *rewriter, const uint32_t *instruction, size_t length)
{
  switch (opcode_of (instruction)) {
  case OP_TYPE_INT: /* result, width, signedness */
    if (length == 4 && instruction[2] == 32 && instruction[3] == 0)
      rewriter->uint_type = instruction[1];
    break;
  case OP_CONSTANT_TRUE:
  case OP_CONSTANT_FALSE:
    if (length == 3)
      rewriter->layouts[check_id (rewriter, instruction[2])] =
          opcode_of (instruction) == OP_CONSTANT_TRUE ? 2 : 1;
    break;
  case OP_UNDEF: /* these begin with type, result */
  case OP_CONSTANT_NULL:
  case OP_LOAD:
  case OP_COMPOSITE_CONSTRUCT:
  case OP_COMPOSITE_EXTRACT:
  case OP_COPY_OBJECT:
  case OP_PHI:
  case OP_MATRIX_LOAD_NV:
  case OP_MATRIX_LOAD_TENSOR:
  case OP_MATRIX_MUL_ADD_NV:
    if (length >= 3)
      rewriter->types[check_id (rewriter, instruction[2])] = check_id (rewriter, instruction[1]);
    break;
  }
}

static void
set_use (Rewriter *rewriter, uint32_t id, uint32_t use)
{
  uint32_t type = rewriter->types[check_id (rewriter, id)];

  if (type == 0)
    fail ("an operand of a multiplication comes from an unexpected instruction");
  if (rewriter->uses[type] != 0 && rewriter->uses[type] != use + 1)
    fail ("a matrix type has two uses: give A, B and the accumulator constants of their own for "
          "their numbers of rows and columns");
  rewriter->uses[type] = use + 1;
}

static void
note_uses (Rewriter *rewriter, const uint32_t *instruction, size_t length)
{
  if (opcode_of (instruction) != OP_MATRIX_MUL_ADD_NV) /* type, result, A, B, C */
    return;
  if (length != 6)
    fail ("a multiplication of unexpected length");
  set_use (rewriter, instruction[3], USE_A);
  set_use (rewriter, instruction[4], USE_B);
  set_use (rewriter, instruction[5], USE_ACCUMULATOR);
  set_use (rewriter, instruction[2], USE_ACCUMULATOR);
}

static void
put (Rewriter *rewriter, uint32_t word)
{
  rewriter->out.words[rewriter->out.n++] = word;
}

static void
put_opcode (Rewriter *rewriter, uint32_t opcode, size_t length)
{
  put (rewriter, (uint32_t)length << 16 | opcode);
}

static void
put_words (Rewriter *rewriter, const uint32_t *words, size_t n)
{
  for (size_t i = 0; i < n; i++)
    put (rewriter, words[i]);
}

/* The constants 0, 1 and 2, ahead of the first type that needs one. */
static void
put_numbers (Rewriter *rewriter)
{
  if (rewriter->number[0] != 0)
    return;
  if (rewriter->uint_type == 0)
    fail ("no type of unsigned integers");
  for (uint32_t i = 0; i < N_USES; i++) {
    rewriter->number[i] = rewriter->bound + i;
    put_opcode (rewriter, OP_CONSTANT, 4);
    put (rewriter, rewriter->uint_type);
    put (rewriter, rewriter->number[i]);
    put (rewriter, i);
  }
}

static void
put_type (Rewriter *rewriter, const uint32_t *instruction, size_t length)
{
  uint32_t use = rewriter->uses[check_id (rewriter, instruction[1])];

  if (length != 6 || use == 0)
    fail ("a matrix type that no multiplication uses");
  put_numbers (rewriter);
  put_opcode (rewriter, OP_TYPE_MATRIX_KHR, length + 1);
  put_words (rewriter, instruction + 1, length - 1);
  put (rewriter, rewriter->number[use - 1]);
}

/* Loads and stores: after `fixed` words come stride and column-major, then memory operands; of the
 * newer ones the layout comes first. */
static void
put_access (Rewriter *rewriter, uint32_t opcode, size_t fixed, const uint32_t *instruction,
            size_t length)
{
  uint32_t layout;

  if (length < fixed + 2 || rewriter->number[0] == 0)
    fail ("an access to a matrix of unexpected form");
  layout = rewriter->layouts[check_id (rewriter, instruction[fixed + 1])];
  if (layout == 0)
    fail ("a matrix's layout is not a constant");
  put_opcode (rewriter, opcode, length);
  put_words (rewriter, instruction + 1, fixed - 1);
  put (rewriter, rewriter->number[layout - 1]);
  put (rewriter, instruction[fixed]);
  put_words (rewriter, instruction + fixed + 2, length - fixed - 2);
}

static void
put_extension (Rewriter *rewriter, const uint32_t *instruction, size_t length)
{
  static const char from[] = "SPV_NV_cooperative_matrix", to[28] = "SPV_KHR_cooperative_matrix";
  size_t words = sizeof to / sizeof (uint32_t);

  if (length != words + 1 || memcmp (instruction + 1, from, sizeof from) != 0) {
    put_words (rewriter, instruction, length);
    return;
  }
  put (rewriter, instruction[0]);
  memcpy (rewriter->out.words + rewriter->out.n, to, sizeof to);
  rewriter->out.n += words;
}

static void
rewrite (Rewriter *rewriter, const uint32_t *instruction, size_t length)
{
  switch (opcode_of (instruction)) {
  case OP_CAPABILITY:
    put (rewriter, instruction[0]);
    put (rewriter, instruction[1] == CAPABILITY_MATRIX_NV ? CAPABILITY_MATRIX_KHR : instruction[1]);
    break;
  case OP_EXTENSION:
    put_extension (rewriter, instruction, length);
    break;
  case OP_TYPE_MATRIX_NV: /* result, component type, scope, rows, columns; then use */
    put_type (rewriter, instruction, length);
    break;
  case OP_MATRIX_LOAD_NV: /* type, result, pointer */
    put_access (rewriter, OP_MATRIX_LOAD_KHR, 4, instruction, length);
    break;
  case OP_MATRIX_STORE_NV: /* pointer, object */
    put_access (rewriter, OP_MATRIX_STORE_KHR, 3, instruction, length);
    break;
  case OP_MATRIX_MUL_ADD_NV:
    put_opcode (rewriter, OP_MATRIX_MUL_ADD_KHR, length);
    put_words (rewriter, instruction + 1, length - 1);
    break;
  case OP_MATRIX_LENGTH_NV:
    put_opcode (rewriter, OP_MATRIX_LENGTH_KHR, length);
    put_words (rewriter, instruction + 1, length - 1);
    break;
  default:
    put_words (rewriter, instruction, length);
    break;
  }
}

int
main (int argc, char **argv)
{
  Rewriter rewriter = {0};

  if (argc != 3)
    fail ("usage: matrix-khr IN.spv OUT.spv");
  rewriter.in = read_module (argv[1]);
  rewriter.bound = rewriter.in.words[BOUND];
  if (rewriter.bound > rewriter.in.n) /* every id is the result of an instruction */
    fail ("the input's bound of ids is too large");
  rewriter.types = allocate (rewriter.bound + 1, sizeof (uint32_t));
  rewriter.uses = allocate (rewriter.bound + 1, sizeof (uint32_t));
  rewriter.layouts = allocate (rewriter.bound + 1, sizeof (uint32_t));
  for_each_instruction (&rewriter, note_types);
  for_each_instruction (&rewriter, note_uses);
  /* Each type grows by a word, and constants are added. */
  rewriter.out.words = allocate (2 * rewriter.in.n + 4 * N_USES, sizeof (uint32_t));
  put_words (&rewriter, rewriter.in.words, HEADER_WORDS);
  for_each_instruction (&rewriter, rewrite);
  rewriter.out.words[BOUND] = rewriter.bound + N_USES;
  write_module (&rewriter.out, argv[2]);
  free (rewriter.in.words);
  free (rewriter.out.words);
  free (rewriter.types);
  free (rewriter.uses);
  free (rewriter.layouts);
  return EXIT_SUCCESS;
}
