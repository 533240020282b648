/* Stands in for the generated header of this name: the scripts are read from a folder when the test starts. */
#pragma once
#include "shared/embedded.h"

extern struct embedded_file *ledger_scripts;
extern size_t ledger_scripts_count;
