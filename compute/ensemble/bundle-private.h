/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bundles from the inside: checking and writing. */
#pragma once

#include "base/json-reader.h"
#include "base/json.h"
#include "ensemble/ensemble.h"

#define ENS_BUNDLE_FILE "ensemble.json"

/* From log odds to P, by whether classes exclude each other; up to a NULL. */
extern const char *const ens_link_names[];

void ens_bundle_network_clear (EnsBundleNetwork *network);

void ens_bundle_gate_free (EnsBundleGate *gate);
/* The member "gate", for the bundle's classes, which are known. (transfer full) */
EnsBundleGate *ens_bundle_gate_read (EnsJsonReader *reader, const EnsBundle *bundle);
void ens_bundle_gate_write (EnsJson *json, const EnsBundle *bundle);
gboolean ens_bundle_gate_check (const EnsBundle *bundle, const char *where, GError **error);

void ens_bundle_events_free (EnsBundleEvents *events);
/* The member "events", for the bundle's classes, which are known. (transfer full) */
EnsBundleEvents *ens_bundle_events_read (EnsJsonReader *reader, const EnsBundle *bundle);
/* Those of the bundle that another is written over, by the names of classes; NULL if it has none.
 * (transfer full) */
EnsBundleEvents *ens_bundle_events_carry (const EnsBundle *old, const EnsBundle *bundle);
void ens_bundle_events_write (EnsJson *json, const EnsBundle *bundle);

/* Checks what does not show member by member: unique networks, roles' weights that sum to 1, fusion
 * weights that fit the roles there are. Messages begin with `where`. */
gboolean ens_bundle_check (const EnsBundle *bundle, const char *where, GError **error);

/* The full path of a file of the bundle. `path` is relative; one that leads out of the folder, by
 * "..", from the root or by a symbolic link, is an error, and so is one where no file is. (transfer
 * full) */
char *ens_bundle_resolve (const char *folder, const char *path, GError **error);

/* The contents of ensemble.json. (transfer full) */
char *ens_bundle_to_json (const EnsBundle *bundle);

/* Names of what is in the bundle's folder of that name, in order; none if there is no such folder.
 * (transfer full) */
GPtrArray *ens_bundle_list_files (const EnsBundle *bundle, const char *folder);

/* FALSE with an error if a bundle could not be written there, as far as can be told beforehand. */
gboolean ens_bundle_check_target (const char *folder, GError **error);

/* A bundle being written. Files go to a temporary folder beside the target, which takes the
 * target's place in one step at the end: until then, and if the writing fails or is interrupted, an
 * old bundle stays as it was. */
typedef struct _EnsBundleWriter EnsBundleWriter;

/* A target that exists and is not a bundle is an error. Folders above it are made. (transfer full)
 */
EnsBundleWriter *ens_bundle_writer_new (const char *folder, GError **error);
/* Removes what was not committed. */
void ens_bundle_writer_free (EnsBundleWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsBundleWriter, ens_bundle_writer_free)

/* name: of a file directly in the folder. */
gboolean ens_bundle_writer_add (EnsBundleWriter *writer, const char *name, GBytes *contents,
                                GError **error);
/* Writes ensemble.json, reads the bundle back as a check, and puts it in the target's place, whose
 * styles it keeps, and whose events if the bundle has none. */
gboolean ens_bundle_writer_commit (EnsBundleWriter *writer, const EnsBundle *bundle,
                                   GError **error);
