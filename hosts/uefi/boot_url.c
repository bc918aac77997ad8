#include "hosts/uefi/boot_url.h"

#define BOOT_FILE_URL 59

static size_t index_of(struct lb_bytes text, char c) {
    size_t i = 0;
    while (i < text.len && text.p[i] != (uint8_t)c)
        i++;
    return i;
}

/* tftp://[ADDRESS]/FOLDER/PROGRAM */
static bool parse(struct lb_bytes text, struct boot_url *url) {
    struct lb_bytes scheme = lb_bytes_of_text("tftp://[");
    if (!lb_bytes_start_with(text, scheme))
        return false;
    text = lb_bytes_after(text, scheme.len);
    size_t len = index_of(text, ']');
    if (!lb_addr_parse_v6(lb_bytes(text.p, len), &url->server))
        return false;
    text = lb_bytes_after(text, len);
    text = lb_bytes_after(text, index_of(text, '/'));
    text = lb_bytes_after(text, text.len > 0); /* the slash behind the server is not the file's */
    while (text.len > 0 && text.p[text.len - 1] != '/')
        text.len--;
    url->folder = text;
    return true;
}

bool boot_url_find(struct lb_bytes options, struct boot_url *url) {
    struct lb_rd rd = lb_rd(options);
    while (rd.left > 0) {
        uint16_t code = lb_rd_u16(&rd), len = lb_rd_u16(&rd);
        struct lb_bytes value = lb_rd_bytes(&rd, len);
        if (!lb_rd_ok(&rd))
            return false;
        if (code == BOOT_FILE_URL)
            return parse(value, url);
    }
    return false;
}
