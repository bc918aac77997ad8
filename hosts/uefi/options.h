/* Load options: text for us, in one of two codings, or bytes of somebody else. */
#ifndef LB_UEFI_OPTIONS_H
#define LB_UEFI_OPTIONS_H

#include "core/base/config.h"

#define OPTIONS_MAX 4096 /* bytes of text */

enum options_kind {
    OPTIONS_NONE,    /* there are none, or blanks */
    OPTIONS_TEXT,    /* what there is is in the room now */
    OPTIONS_FOREIGN, /* no text, such as the GUID that EDK2 puts into its own boot entries */
    OPTIONS_DAMAGED, /* they set a key of ours, and cannot be read */
    OPTIONS_LONG,    /* they do not fit */
};

/* Reads UCS-2 (the EFI shell, `efibootmgr -u`) and ASCII or UTF-8 (`efibootmgr`), up to the first
 * NUL. *line is in the room. */
enum options_kind options_read(struct lb_bytes raw, struct lb_span room, struct lb_bytes *line);
/* Words `key=value` or `--key=value`, a value in "double quotes" or not; `--key` means yes. The
 * first word may be the program's name. Any other word is an error. */
bool options_set(struct lb_config *config, struct lb_bytes line, struct lb_error *error);

#endif
