#include "hosts/linux/names.h"
#include "hosts/linux/machine.h"
#include "os/linux/files.h"

#define RESOLV_CONF_MAX 8192

static struct lb_bytes next_line(struct lb_bytes *text) {
    struct lb_bytes line = {text->p, 0};
    while (line.len < text->len && text->p[line.len] != '\n')
        line.len++;
    *text = lb_bytes_after(*text, LB_MIN(line.len + 1, text->len));
    return lb_bytes_trim(line);
}

static struct lb_bytes next_word(struct lb_bytes *line) {
    struct lb_bytes word;
    *line = lb_bytes_trim(*line);
    word = lb_bytes(line->p, 0);
    while (word.len < line->len && line->p[word.len] != ' ' && line->p[word.len] != '\t')
        word.len++;
    *line = lb_bytes_after(*line, word.len);
    return word;
}

static void add_server(struct lb_boot_machine *machine, struct lb_bytes word) {
    struct lb_addr addr;
    if (machine->dns_count < LB_COUNT(machine->dns) && lb_addr_parse(word, &addr))
        machine->dns[machine->dns_count++] = addr;
}

/* Only as many domains as fit. */
static void set_search(struct lb_boot_machine *machine, struct lb_bytes line) {
    struct lb_text text = lb_text(machine->search, sizeof(machine->search));
    for (struct lb_bytes word = next_word(&line); word.len > 0; word = next_word(&line)) {
        if (text.len + 1 + word.len >= text.cap)
            return;
        lb_text_add(&text, "%s%.*s", text.len > 0 ? " " : "", (int)word.len, (const char *)word.p);
    }
}

void lb_names_resolv_conf(struct lb_bytes text, struct lb_boot_machine *machine) {
    while (text.len > 0) {
        struct lb_bytes line = next_line(&text);
        struct lb_bytes key = next_word(&line);
        if (lb_text_is(key, "nameserver"))
            add_server(machine, next_word(&line));
        else if (lb_text_is(key, "search") || lb_text_is(key, "domain"))
            set_search(machine, line);
    }
}

void lb_names_read(struct lb_names_here *here, const char *hosts_path, const char *resolv_path) {
    char text[RESOLV_CONF_MAX];
    long len;

    here->machine = (struct lb_boot_machine){0};
    len = lb_file_read(resolv_path ? resolv_path : "/etc/resolv.conf", lb_span(text, sizeof(text)));
    if (len > 0)
        lb_names_resolv_conf(lb_bytes(text, (size_t)len), &here->machine);
    len = lb_file_read(hosts_path ? hosts_path : "/etc/hosts",
                       lb_span(here->hosts, sizeof(here->hosts)));
    here->machine.hosts = lb_bytes(here->hosts, len > 0 ? (size_t)len : 0);
}
