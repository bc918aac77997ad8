/* hosts(5): the machine's own list of names. */
#include "core/dns/dns.h"
#include "core/dns/dns_wire.h"

/* The line without its comment; takes it off *file. */
static struct lb_bytes next_line(struct lb_bytes *file) {
    struct lb_bytes line = {file->p, 0};
    while (line.len < file->len && file->p[line.len] != '\n')
        line.len++;
    *file = lb_bytes_after(*file, LB_MIN(line.len + 1, file->len));
    for (size_t i = 0; i < line.len; i++)
        if (line.p[i] == '#')
            line.len = i;
    return line;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static struct lb_bytes next_word(struct lb_bytes *line) {
    while (line->len > 0 && is_blank(line->p[0]))
        *line = lb_bytes_after(*line, 1);
    struct lb_bytes word = {line->p, 0};
    while (word.len < line->len && !is_blank(line->p[word.len]))
        word.len++;
    *line = lb_bytes_after(*line, word.len);
    return word;
}

static bool names(struct lb_bytes line, const char *name) {
    char known[LB_DNS_NAME_MAX + 2];
    for (struct lb_bytes word = next_word(&line); word.len > 0; word = next_word(&line))
        if (lb_text_copy(known, sizeof known, word) && lb_dns_name_equal(known, name))
            return true;
    return false;
}

size_t lb_dns_hosts_find(struct lb_bytes file, const char *name, struct lb_addr *addrs,
                         size_t cap) {
    size_t count = 0;
    while (file.len > 0 && count < cap) {
        struct lb_bytes line = next_line(&file);
        struct lb_bytes address = next_word(&line);
        struct lb_addr addr;
        if (lb_addr_parse(address, &addr) && names(line, name))
            addrs[count++] = addr;
    }
    return count;
}
