// LoadConfig: from the YAML file to checked values, or one line that says what is wrong.
//
// Every failure is Error{kConfig} whose text is "FILE:LINE: KEY: what is wrong", one line, with the
// known name nearest to a misspelt one. Nothing is contacted, and no file but this one is opened.
//
// - Unknown keys, a key given twice, a key without a value, another type than expected: refused.
// - ${NAME} and ${NAME:-default} are filled from the environment in every value (not in keys),
//   after YAML was parsed, so that a value can never become structure. The default also stands for
//   an empty NAME, as in a shell. $${ is a plain ${. Inside [ ] and { } YAML wants them quoted.
//   An error shows the text as the file has it, never what was filled in; of credentials, of URLs
//   and of `database` it shows nothing at all.
// - Sizes are a whole number and one of B KiB MiB GiB TiB, times a whole number and one of s m h d,
//   without a space; a time may also be 0. The limits stand at the fields of config.h.
// - Relative paths (state_dir, ca_file, file, exclude_from, token_file) start at the folder of the
//   configuration file, so that cron and a shell find the same ledger. $BUCKETFERRY_STATE_DIR
//   starts at the working directory.
// - Refused together: a source and destination that are one bucket and of which one prefix begins
//   with the other. Stores with different names at one endpoint are one place. Two tasks may write
//   the same destination as long as none deletes, and no option to delete exists yet.
// - Bounds: a file of 1 MiB; 16 MiB of values after aliases and ${} are expanded; 1,000 stores,
//   tasks or targets; 10,000 patterns in a list.
#pragma once

#include <filesystem>

#include "batch/config/config.h"
#include "batch/config/environment.h"

namespace ferry {

enum class CredentialUse {
  kNeeded,   // fill in ${} everywhere
  kLeftOut,  // access keys and the targets' URLs stay empty and need no environment: for the
             // exporter and for commands that only read the database
};

Config LoadConfig(const std::filesystem::path& file, const Environment& environment,
                  CredentialUse credentials = CredentialUse::kNeeded);

}  // namespace ferry
