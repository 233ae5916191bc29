/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/block.h"

#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

/* Sanitizers see what is written behind the end of heap memory, not of mappings. */
#if defined(MAP_ANONYMOUS) && !defined(__SANITIZE_ADDRESS__)
#define HAVE_MAPPINGS 1
#else
#define HAVE_MAPPINGS 0
#endif

#define ALIGNMENT ((gsize)64)
#define PAGE ((gsize)4096)
#define HUGE_PAGE ((gsize)2 << 20)
#define MIN_MAPPING ((gsize)1 << 20)

/* In front of a block. */
typedef struct {
  gpointer memory; /* what was allocated */
  gsize mapped;    /* bytes of it that are a mapping, 0 of heap memory */
} Header;

G_STATIC_ASSERT (sizeof (Header) <= ALIGNMENT);

static gpointer
make_block (gpointer memory, gsize mapped, gsize alignment)
{
  guintptr after = (guintptr)memory + sizeof (Header);
  Header *block = (Header *)((after + alignment - 1) / alignment * alignment);

  block[-1] = (Header) {memory, mapped};
  return block;
}

static gpointer
allocate (gsize size)
{
  /* Vector loads may reach to the end of the last 64 bytes. */
  const gsize spare = sizeof (Header) + 2 * ALIGNMENT;
  gpointer memory = size <= G_MAXSIZE - spare ? malloc (size + spare) : NULL;

  return memory != NULL ? make_block (memory, 0, ALIGNMENT) : NULL;
}

#if HAVE_MAPPINGS
/* Pages that are never touched, such as those that alignment leaves over, take no memory. */
static gpointer
map (gsize size)
{
  const gsize alignment = size >= HUGE_PAGE ? HUGE_PAGE : PAGE;
  const gsize whole = size + alignment + PAGE;
  gpointer memory, block;

  if (whole < size)
    return NULL;
  memory = mmap (NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
  block = make_block (memory, whole, alignment);
#ifdef MADV_HUGEPAGE
  if (alignment == HUGE_PAGE)
    madvise (block, size, MADV_HUGEPAGE);
#endif
  return block;
}
#endif

gpointer
ens_block_try_new (gsize size)
{
#if HAVE_MAPPINGS
  if (size >= MIN_MAPPING)
    return map (size);
#endif
  return allocate (size);
}

gpointer
ens_block_new (gsize size)
{
  gpointer block = ens_block_try_new (size);

  if (block == NULL)
    g_error ("no memory for a block of %" G_GSIZE_FORMAT " bytes", size);
  return block;
}

void
ens_block_free (gpointer block)
{
  Header header;

  if (block == NULL)
    return;
  header = ((Header *)block)[-1];
#if HAVE_MAPPINGS
  if (header.mapped > 0) {
    munmap (header.memory, header.mapped);
    return;
  }
#endif
  free (header.memory);
}
