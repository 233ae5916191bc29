/* fuzz-onnx: whatever bytes come, import refuses them or makes a sound graph, and export takes it.
 *
 *   CC=clang meson setup build-fuzz -Db_lundef=false \
 *     -Dc_args=-fsanitize=fuzzer-no-link,address,undefined \
 *     -Dc_link_args=-fsanitize=address,undefined
 *   ninja -C build-fuzz tests/graph/fuzz-onnx
 *   build-fuzz/tests/graph/fuzz-onnx CORPUS_FOLDER
 *
 * The test onnx-bytes does a little of the same without clang. */
#include "graph/onnx.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import_bytes (bytes, "fuzz.onnx", NULL, NULL, &error);
  g_autoptr (GBytes) exported = NULL;

  g_assert_true ((graph == NULL) == (error != NULL));
  if (graph == NULL)
    return 0;
  g_assert_true (ens_graph_validate (graph, NULL));
  exported = ens_onnx_export_bytes (graph, NULL);
  return 0;
}
