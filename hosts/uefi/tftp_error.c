#include "hosts/uefi/tftp_error.h"

#define NO_SUCH_FILE 1
#define NOT_DEFINED  0

static bool has(struct lb_bytes words, const char *part) {
    size_t len = lb_strlen(part);
    for (size_t at = 0; at + len <= words.len && words.p[at] != 0; at++) {
        size_t same = 0;
        while (same < len && lb_ascii_lower(words.p[at + same]) == (uint8_t)part[same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

bool tftp_error_is_no_file(uint8_t code, struct lb_bytes words) {
    if (code != NOT_DEFINED)
        return code == NO_SUCH_FILE;
    return has(words, "not found") || has(words, "no such file") || has(words, "not exist");
}
