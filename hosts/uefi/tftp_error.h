/* What a TFTP server's error means, as the firmware tells it. */
#ifndef LB_UEFI_TFTP_ERROR_H
#define LB_UEFI_TFTP_ERROR_H

#include "core/base/text.h"

/* Whether it says that there is no such file: RFC 1350's code 1. EDK2 gives the wrong half of the
 * code, which is 0 for every error; then the server's words count: "File not found". */
bool tftp_error_is_no_file(uint8_t code, struct lb_bytes words);

#endif
