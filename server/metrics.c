#include "server/metrics.h"

static void add_head(struct lb_text *text, const char *name, const char *type, const char *help) {
    lb_text_add(text, "# HELP lunbootd_%s %s\n# TYPE lunbootd_%s %s\n", name, help, name, type);
}

static void add_one(struct lb_text *text, const char *name, const char *type, const char *help,
                    uint64_t value) {
    add_head(text, name, type, help);
    lb_text_add(text, "lunbootd_%s %llu\n", name, (unsigned long long)value);
}

/* A label's value, which has no line ends: \ and " are escaped. */
static void add_label(struct lb_text *text, const char *value) {
    for (const char *c = value; *c != '\0'; c++)
        lb_text_add(text, "%s%c", *c == '\\' || *c == '"' ? "\\" : "", *c);
}

enum series { READ, WRITTEN, SESSIONS, OVERLAY, LIMIT, SANITIZED, BOOTS, TROUBLED, SERIES };

static const struct {
    const char *name, *type, *help;
} series[SERIES] = {
    [READ] = {"read_bytes_total", "counter", "Bytes that a machine has read of its disk."},
    [WRITTEN] = {"written_bytes_total", "counter", "Bytes that a machine has written to its disk."},
    [SESSIONS] = {"sessions", "gauge", "iSCSI sessions of a machine."},
    [OVERLAY] = {"overlay_bytes", "gauge", "Bytes that a machine has in its overlay."},
    [LIMIT] = {"overlay_limit_bytes", "gauge", "Bytes that a machine may have in its overlay."},
    [SANITIZED] = {"sanitized_permille", "gauge",
                   "How far the SANITIZE of a machine's disk is, of 1000."},
    [BOOTS] = {"boots_total", "counter", "Boots of a machine after which it ran."},
    [TROUBLED] = {"trouble_timestamp_seconds", "gauge",
                  "When a machine last had trouble, in seconds since 1970."},
};

/* False: the machine has none. */
static bool value_of(const struct lb_board_row *row, enum series which, uint64_t *value) {
    const uint64_t values[SERIES] = {
        [READ] = row->bytes_read,     [WRITTEN] = row->bytes_written,
        [SESSIONS] = row->sessions,   [OVERLAY] = row->overlay_bytes,
        [LIMIT] = row->overlay_limit, [SANITIZED] = row->sanitized,
        [BOOTS] = row->boots,         [TROUBLED] = row->trouble_ms / 1000};
    const bool has[SERIES] = {
        [READ] = true,
        [WRITTEN] = true,
        [SESSIONS] = true,
        [OVERLAY] = row->has_overlay,
        [LIMIT] = row->has_overlay && row->overlay_limit > 0,
        [SANITIZED] = row->sanitize == LB_SCSI_SANITIZE_GOES_ON,
        [BOOTS] = true,
        [TROUBLED] = row->trouble_ms > 0,
    };
    *value = values[which];
    return has[which];
}

static void add_series(struct lb_text *text, const struct lb_board *board, enum series which) {
    uint64_t value;
    add_head(text, series[which].name, series[which].type, series[which].help);
    for (size_t i = 0; i < board->count; i++) {
        const struct lb_board_row *row = &board->rows[i];
        if (!row->is_used || !value_of(row, which, &value))
            continue;
        lb_text_add(text, "lunbootd_%s{machine=\"", series[which].name);
        add_label(text, lb_board_name(row).s);
        lb_text_add(text, "\"} %llu\n", (unsigned long long)value);
    }
}

static void add_stages(struct lb_text *text, const struct lb_board *board) {
    add_head(text, "machines", "gauge", "Machines by the stage that they are in.");
    for (int stage = 0; stage < LB_BOARD_STAGES; stage++) {
        size_t count = 0;
        for (size_t i = 0; i < board->count; i++)
            count += board->rows[i].is_used && board->rows[i].stage == (enum lb_board_stage)stage;
        lb_text_add(text, "lunbootd_machines{stage=\"%s\"} %zu\n",
                    lb_board_stage_word((enum lb_board_stage)stage), count);
    }
}

void lb_metrics_format(struct lb_text *text, const struct lb_board *board) {
    add_head(text, "info", "gauge", "The version of lunbootd.");
    lb_text_add(text, "lunbootd_info{version=\"%s\"} 1\n", LUNBOOT_VERSION);
    add_one(text, "addresses_total", "counter",
            "Answers of DHCP that gave or confirmed an address.", board->events[LB_EVENT_ADDRESS]);
    add_one(text, "files_total", "counter", "Boot files that were fetched.",
            board->events[LB_EVENT_FILE]);
    add_one(text, "logins_total", "counter", "iSCSI logins that went well.",
            board->events[LB_EVENT_LOGIN]);
    add_one(text, "troubles_total", "counter", "Events that a machine suffered from.",
            board->events[LB_EVENT_TROUBLE]);
    add_one(text, "memory_bytes", "gauge", "Memory that all sessions may take.", board->memory);
    add_one(text, "memory_used_bytes", "gauge", "Memory that sessions have now.",
            board->memory_used);
    add_one(text, "memory_waits_total", "counter", "How often a session had to wait for memory.",
            board->memory_waits);
    add_stages(text, board);
    for (int i = 0; i < SERIES; i++)
        add_series(text, board, (enum series)i);
}
