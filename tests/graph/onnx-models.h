/* Sound models, and what import makes of them. */
#pragma once

#include "onnx-builder.h"

typedef struct {
  const char *name;
  gint64 opset;
  void (*build) (Onnx__ModelProto *model);
  const char *text; /* of the graph */
} ModelRow;

extern const ModelRow model_rows[];
extern const guint n_model_rows;

/* (transfer full) */
Onnx__ModelProto *model_new_from_row (const ModelRow *row);
